#pragma once

#include <array>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::train {

/// How the learning rate goes on after the warm-up.
enum class ScheduleKind { constant, cosine };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::constant;
  double warmup_epochs = 0;  ///< in which it rises from 0
  double min_lr = 0;         ///< what the cosine ends at
};

}  // namespace mpbench::train

template <>
inline constexpr auto mpbench::enum_names<mpbench::train::ScheduleKind> =
    std::to_array<mpbench::EnumName<mpbench::train::ScheduleKind>>(
        {{mpbench::train::ScheduleKind::constant, "constant"},
         {mpbench::train::ScheduleKind::cosine, "cosine"}});
