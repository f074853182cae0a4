#pragma once

#include <vector>

#include "mpbench/bench/plan.hpp"
#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/precision.hpp"

namespace mpbench::bench {

/// In which order a ladder's factors are changed.
enum class LadderOrder {
  none,     ///< no ladder
  forward,  ///< TF32, channels_last, mixed precision, a larger batch, a CUDA graph
  reverse,  ///< the other way round, as what a factor gains depends on those before it
};

/// Changes a grid into a ladder: the baseline is strict FP32 in NCHW memory format, and one factor
/// after another is changed. TF32 and the CUDA graph are for CUDA alone; `mixed` is the mixed
/// precision to take. In reverse TF32 is left out: there the precision is mixed before.
void make_ladder(Grid& grid, LadderOrder order, bool on_cuda, Precision mixed);

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::LadderOrder> =
    std::to_array<mpbench::EnumName<mpbench::bench::LadderOrder>>(
        {{mpbench::bench::LadderOrder::none, "none"},
         {mpbench::bench::LadderOrder::forward, "forward"},
         {mpbench::bench::LadderOrder::reverse, "reverse"}});
