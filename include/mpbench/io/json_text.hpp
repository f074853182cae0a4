#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench {

/// Values of a file's JSON lie at most so deep in one another. The library copies, compares and
/// prints a value by functions that call themselves for each level: more would overflow the stack.
inline constexpr int deepest_json = 64;

/// Parses a file's JSON. The result is_discarded() where the text is not JSON, or is nested deeper
/// than deepest_json.
nlohmann::json parse_json(std::string_view text);

/// A whole number that fits `Number`; throws Error for anything else. The library's get() makes 1
/// of 1.5 and of true, anything of what does not fit.
template <std::integral Number>
Number whole_number(const nlohmann::json& value) {
  const bool fits =
      value.is_number_unsigned()
          ? std::in_range<Number>(value.get<std::uint64_t>())
          : value.is_number_integer() && std::in_range<Number>(value.get<std::int64_t>());
  if (!fits) throw Error("a number in it is not an integer, or too large");
  return value.get<Number>();
}

/// A list of them.
template <std::integral Number>
std::vector<Number> whole_numbers(const nlohmann::json& list) {
  if (!list.is_array()) throw Error("a list of numbers is expected");
  std::vector<Number> numbers;
  numbers.reserve(list.size());
  for (const auto& value : list) numbers.push_back(whole_number<Number>(value));
  return numbers;
}

}  // namespace mpbench
