#pragma once

#include <string>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::commands {

enum class ProgressMode { automatic, always, never };

/// Options that every subcommand takes.
struct SharedOptions {
  bool quiet = false;
  std::string log_level = "info";
  ProgressMode progress = ProgressMode::automatic;
};

}  // namespace mpbench::commands

template <>
inline constexpr auto mpbench::enum_names<mpbench::commands::ProgressMode> =
    std::to_array<mpbench::EnumName<mpbench::commands::ProgressMode>>(
        {{mpbench::commands::ProgressMode::automatic, "auto"},
         {mpbench::commands::ProgressMode::always, "always"},
         {mpbench::commands::ProgressMode::never, "never"}});
