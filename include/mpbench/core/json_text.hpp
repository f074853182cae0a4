#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace mpbench {

/// Values of a file's JSON lie at most so deep in one another. The library copies, compares and
/// prints a value by functions that call themselves for each level: more would overflow the stack.
inline constexpr int deepest_json = 64;

/// Parses a file's JSON. The result is_discarded() where the text is not JSON, or is nested deeper
/// than deepest_json.
nlohmann::json parse_json(std::string_view text);

}  // namespace mpbench
