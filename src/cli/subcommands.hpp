#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>

#include "mpbench/commands/request.hpp"

namespace mpbench::cli {

// One file a subcommand: setup_NAME declares its flags and, where it is the one on the command
// line, checks its options and leaves them in `chosen`. Wrong ones throw UsageError.
void setup_info(CLI::App& app, commands::Command& chosen);
void setup_synth(CLI::App& app, commands::Command& chosen);
void setup_decode(CLI::App& app, commands::Command& chosen);
void setup_preprocess(CLI::App& app, commands::Command& chosen);
/// `given`: the flags on the command line, without their dashes; what --config adds is not there.
void setup_train(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen);
void setup_compare(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen);
void setup_explain(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen);
void setup_report(CLI::App& app, commands::Command& chosen);
void setup_predict(CLI::App& app, commands::Command& chosen);
/// Prints at once, and throws CLI::Success as --help does: nothing is left to run.
void setup_completion(CLI::App& app);

}  // namespace mpbench::cli
