#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/run_record.hpp"

/// Cells and records: what a value looks like in a CSV file, and back.
namespace mpbench::report {

/// A value as a cell. Numbers are the shortest text that reads back as the same number; a number
/// that is not finite is `nan`, `inf` or `-inf` (it was measured, and that is what came out); an
/// empty optional is an empty cell.
std::string format_cell(const std::string& value);
std::string format_cell(bool value);
std::string format_cell(int value);
std::string format_cell(std::int64_t value);
std::string format_cell(std::uint64_t value);
std::string format_cell(double value);
std::string format_cell(bench::RunStatus value);

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
void parse_cell(std::string_view text, bench::RunStatus& value);

template <class Value>
void parse_cell(std::string_view text, std::optional<Value>& value) {
  if (text.empty()) {
    value.reset();
  } else {
    parse_cell(text, value.emplace());
  }
}

/// A record's column names in the file's order.
template <class Record>
std::vector<std::string> column_names() {
  std::vector<std::string> names;
  const Record record;
  visit_columns(record, [&](const char* name, const auto&) { names.emplace_back(name); });
  return names;
}

/// A record's cells in the file's order.
template <class Record>
std::vector<std::string> cells(const Record& record) {
  std::vector<std::string> texts;
  visit_columns(record,
                [&](const char*, const auto& value) { texts.push_back(format_cell(value)); });
  return texts;
}

}  // namespace mpbench::report
