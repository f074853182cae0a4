#pragma once

#include "mpbench/commands/request.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::commands {

// One file a subcommand.
ExitCode run_info(const InfoOptions& options);
ExitCode run_synth(const SynthOptions& options, const SharedOptions& shared);
ExitCode run_decode(const DecodeOptions& options);
ExitCode run_preprocess(const PreprocessOptions& options, const SharedOptions& shared);
ExitCode run_train(const TrainOptions& options, const SharedOptions& shared);
ExitCode run_compare(const CompareOptions& options, const SharedOptions& shared);
ExitCode run_explain(const ExplainOptions& options, const SharedOptions& shared);
ExitCode run_report(const ReportOptions& options);
ExitCode run_predict(const PredictionOptions& options, const SharedOptions& shared);

}  // namespace mpbench::commands
