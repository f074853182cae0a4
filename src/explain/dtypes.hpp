#pragma once

#include <string_view>

namespace mpbench::explain {

// As operators.csv has them.
inline constexpr std::string_view float32 = "float32";
inline constexpr std::string_view bfloat16 = "bfloat16";
inline constexpr std::string_view float16 = "float16";

}  // namespace mpbench::explain
