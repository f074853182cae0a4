#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <set>
#include <string>

#include "mpbench/commands/request.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::cli {

/// The whole command line: `mpbench SUBCOMMAND [flags]`.
class CommandLine {
 public:
  /// `request` must outlive it.
  explicit CommandLine(commands::Request& request);

  /// Fills the request. Returns an exit code when there is nothing to run: --help, --version and
  /// completion are answered here. Throws UsageError for words that make no sense.
  std::optional<ExitCode> parse(int argc, char** argv);

 private:
  CLI::App app_;
  std::set<std::string> given_;  ///< the flags on the command line, without their dashes
};

}  // namespace mpbench::cli
