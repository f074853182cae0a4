#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/csv_cell.hpp"

/// Structs to the rows of a CSV file and back. A Record is a struct with a function
/// `visit_columns(record, visit)` beside it that calls visit("column", member) for every column in
/// the file's order, and, where columns were added after its first version, a member
/// `last_of_first_version` that names the last one of those that every version wrote.
namespace mpbench::csv {

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

/// Header and rows, RFC 4180 quoting, lines end in a line feed.
template <class Record>
std::string to_text(std::span<const Record> records) {
  std::string text = line(column_names<Record>());
  for (const Record& record : records) text += line(cells(record));
  return text;
}

/// Writes the whole table atomically: a reader, or a killed program, never leaves or sees half of
/// one.
template <class Record>
void write_records(const std::filesystem::path& path, std::span<const Record> records) {
  write_file(path, to_text(records));
}

template <class Record>
void write_records(const std::filesystem::path& path, const std::vector<Record>& records) {
  write_records(path, std::span<const Record>(records));
}

/// Record::last_of_first_version; empty where all columns are required.
template <class Record>
constexpr std::string_view last_required_column() {
  if constexpr (requires { Record::last_of_first_version; }) return Record::last_of_first_version;
  return {};
}

/// Reads a table back. Columns may be in any order and unknown ones are passed over; columns that
/// an earlier version did not have are empty in its file. A missing column of the first version, or
/// a cell that is not of its type, throws InputError naming the file, the line and the column.
template <class Record>
std::vector<Record> read_records(const std::filesystem::path& path) {
  const Table table = read(path);
  std::vector<std::optional<std::size_t>> places;
  bool required = true;
  for (const std::string& name : column_names<Record>()) {
    places.push_back(required ? table.column(name) : table.find_column(name));
    required = required && name != last_required_column<Record>();
  }
  std::vector<Record> records(table.rows.size());
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::size_t column = 0;
    visit_columns(records[row], [&](const char* name, auto& value) {
      const std::optional<std::size_t> place = places[column++];
      if (!place) return;
      try {
        parse_cell(table.rows[row][*place], value);
      } catch (const Error& error) {
        // The header is line 1.
        throw InputError(path, "row " + std::to_string(table.numbers[row]) + ", column " + name,
                         error.what());
      }
    });
  }
  return records;
}

}  // namespace mpbench::csv
