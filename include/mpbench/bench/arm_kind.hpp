#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::bench {

/// What a run is in a comparison. `null`: the baseline once more, to see how far two processes of
/// one kind are apart.
enum class ArmKind { baseline, arm, null };

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::ArmKind> =
    std::to_array<mpbench::EnumName<mpbench::bench::ArmKind>>(
        {{mpbench::bench::ArmKind::baseline, "baseline"},
         {mpbench::bench::ArmKind::arm, "arm"},
         {mpbench::bench::ArmKind::null, "null"}});
