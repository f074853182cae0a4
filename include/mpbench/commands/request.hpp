#pragma once

#include <variant>

#include "mpbench/commands/compare_options.hpp"
#include "mpbench/commands/decode_options.hpp"
#include "mpbench/commands/explain_options.hpp"
#include "mpbench/commands/info_options.hpp"
#include "mpbench/commands/prediction_options.hpp"
#include "mpbench/commands/preprocess_options.hpp"
#include "mpbench/commands/report_options.hpp"
#include "mpbench/commands/shared_options.hpp"
#include "mpbench/commands/synth_options.hpp"
#include "mpbench/commands/train_options.hpp"

namespace mpbench::commands {

/// One subcommand's options; which it is says what is to be done.
using Command =
    std::variant<InfoOptions, SynthOptions, DecodeOptions, PreprocessOptions, TrainOptions,
                 CompareOptions, ExplainOptions, ReportOptions, PredictionOptions>;

/// What the user asked for on the command line.
struct Request {
  SharedOptions shared;
  Command command;
};

}  // namespace mpbench::commands
