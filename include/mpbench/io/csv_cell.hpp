#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/error.hpp"

/// What a value looks like in a CSV file, and back.
namespace mpbench::csv {

/// A value as a cell. Numbers are the shortest text that reads back as the same number; a number
/// that is not finite is `nan`, `inf` or `-inf` (it was measured, and that is what came out); an
/// empty optional is an empty cell.
std::string format_cell(const std::string& value);
std::string format_cell(bool value);
std::string format_cell(int value);
std::string format_cell(std::int64_t value);
std::string format_cell(std::uint64_t value);
std::string format_cell(double value);
template <NamedEnum E>
std::string format_cell(E value) {
  return std::string(enum_name(value));
}

template <class Value>
std::string format_cell(const std::optional<Value>& value) {
  return value ? format_cell(*value) : std::string();
}

/// Reads what format_cell wrote; throws Error saying what was expected.
void parse_cell(std::string_view text, std::string& value);
void parse_cell(std::string_view text, bool& value);
void parse_cell(std::string_view text, int& value);
void parse_cell(std::string_view text, std::int64_t& value);
void parse_cell(std::string_view text, std::uint64_t& value);
void parse_cell(std::string_view text, double& value);
template <NamedEnum E>
void parse_cell(std::string_view text, E& value) {
  const auto known = find_enum<E>(text);
  if (!known) throw Error(fmt::format("'{}' is not one of {}", text, enum_choices<E>()));
  value = *known;
}

template <class Value>
void parse_cell(std::string_view text, std::optional<Value>& value) {
  if (text.empty()) {
    value.reset();
  } else {
    parse_cell(text, value.emplace());
  }
}

}  // namespace mpbench::csv
