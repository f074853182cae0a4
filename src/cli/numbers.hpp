#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

namespace mpbench::cli {

/// For Option::transform: takes a number in decimal, and nothing else. CLI11 by itself takes "010"
/// for 8, "-1" for the largest unsigned number, and what is too large for the largest there is.
/// Unsigned numbers end where TOML's integers do.
template <class Number>
requires std::integral<Number> || std::floating_point<Number> CLI::Validator number() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        Number value{};
        std::string_view digits = text;
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const auto* const end = digits.data() + digits.size();
        const auto parsed = std::from_chars(digits.data(), end, value);
        const bool whole = parsed.ec == std::errc() && parsed.ptr == end;
        if constexpr (std::is_floating_point_v<Number>) {
          return whole ? "" : "must be a number of float64's range, not '" + text + "'";
        } else {
          constexpr Number least = std::numeric_limits<Number>::min();
          constexpr auto most = static_cast<Number>(std::min<std::uint64_t>(
              std::numeric_limits<Number>::max(), std::numeric_limits<std::int64_t>::max()));
          if (!whole || value > most) {
            return "must be a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ", not '" + text + "'";
          }
          text = std::to_string(value);
          return "";
        }
      },
      "");
}

/// For Option::transform: seconds of "90s", "3min" or "1h".
inline CLI::AsNumberWithUnit seconds() {
  return CLI::AsNumberWithUnit(
      std::map<std::string, double>{{"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}},
      CLI::AsNumberWithUnit::DEFAULT, "TIME");
}

}  // namespace mpbench::cli
