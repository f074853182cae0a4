#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "subcommands.hpp"

namespace mpbench::cli {

/// The whole command line: `mpbench SUBCOMMAND [flags]`.
class CommandLine {
 public:
  explicit CommandLine(SharedOptions& shared);

  /// Fills the options. Returns an exit code when there is nothing to run: after --help or
  /// --version, or when the words make no sense (then the reason is on stderr).
  std::optional<ExitCode> parse(int argc, char** argv);
  /// Runs the subcommand that was parsed.
  ExitCode run() const { return action_(); }

 private:
  CLI::App app_;
  Action action_;
};

}  // namespace mpbench::cli
