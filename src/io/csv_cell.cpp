#include "mpbench/io/csv_cell.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "mpbench/core/error.hpp"

namespace mpbench::csv {
namespace {

template <class Number>
void parse_number(std::string_view text, Number& value, const char* expected) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(fmt::format("'{}' is not {}", text, expected));
  }
}

}  // namespace

std::string format_cell(const std::string& value) { return value; }
std::string format_cell(bool value) { return value ? "true" : "false"; }
std::string format_cell(int value) { return std::to_string(value); }
std::string format_cell(std::int64_t value) { return std::to_string(value); }
std::string format_cell(std::uint64_t value) { return std::to_string(value); }

std::string format_cell(double value) {
  // The sign of a NaN means nothing, and "-nan" is no number to most readers.
  return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

void parse_cell(std::string_view text, std::string& value) { value = text; }

void parse_cell(std::string_view text, bool& value) {
  if (text != "true" && text != "false") {
    throw Error(fmt::format("'{}' is not true or false", text));
  }
  value = text == "true";
}

void parse_cell(std::string_view text, int& value) {
  parse_number(text, value, "a whole number that fits 32 bits");
}
void parse_cell(std::string_view text, std::int64_t& value) {
  parse_number(text, value, "a whole number that fits 64 bits");
}
void parse_cell(std::string_view text, std::uint64_t& value) {
  parse_number(text, value, "a whole number of 0 or more that fits 64 bits");
}
void parse_cell(std::string_view text, double& value) { parse_number(text, value, "a number"); }

}  // namespace mpbench::csv
