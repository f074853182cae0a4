#pragma once

#include <string>

namespace mpbench::commands {

enum class ProgressMode { automatic, always, never };

/// Options that every subcommand takes.
struct SharedOptions {
  bool quiet = false;
  std::string log_level = "info";
  ProgressMode progress = ProgressMode::automatic;
};

}  // namespace mpbench::commands
