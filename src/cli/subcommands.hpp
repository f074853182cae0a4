#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "mpbench/core/error.hpp"

namespace mpbench::cli {

enum class ProgressMode { automatic, always, never };

/// Options that every subcommand takes.
struct SharedOptions {
  bool quiet = false;
  std::string log_level = "info";
  ProgressMode progress = ProgressMode::automatic;
};

/// What the chosen subcommand does; main calls it once the command line is understood.
using Action = std::function<ExitCode()>;

// One file a subcommand: an options struct, setup_NAME that declares the flags and stores run_NAME
// as the action.
void setup_info(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_synth(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_decode(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_preprocess(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_train(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_compare(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_predict(CLI::App& app, const SharedOptions& shared, Action& action);
void setup_completion(CLI::App& app, const SharedOptions& shared, Action& action);

}  // namespace mpbench::cli
