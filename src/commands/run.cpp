#include "run.hpp"

#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

struct Run {
  const SharedOptions& shared;

  ExitCode operator()(const InfoOptions& options) const { return run_info(options); }
  ExitCode operator()(const SynthOptions& options) const { return run_synth(options, shared); }
  ExitCode operator()(const DecodeOptions& options) const { return run_decode(options); }
  ExitCode operator()(const PreprocessOptions& options) const {
    return run_preprocess(options, shared);
  }
  ExitCode operator()(const TrainOptions& options) const { return run_train(options, shared); }
  ExitCode operator()(const CompareOptions& options) const { return run_compare(options, shared); }
  ExitCode operator()(const PredictionOptions& options) const {
    return run_predict(options, shared);
  }
};

}  // namespace

ExitCode run(const Request& request) { return std::visit(Run{request.shared}, request.command); }

}  // namespace mpbench::commands
