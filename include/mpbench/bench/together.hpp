#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::bench {

/// Whether all processes of a session are there at once.
enum class Together {
  automatic,  ///< as long as memory lasts
  yes,
  no,  ///< one after another: blocks that are compared are then further apart in time
};

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::Together> =
    std::to_array<mpbench::EnumName<mpbench::bench::Together>>(
        {{mpbench::bench::Together::automatic, "auto"},
         {mpbench::bench::Together::yes, "yes"},
         {mpbench::bench::Together::no, "no"}});
