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
#include "mpbench/report/columns.hpp"

/// Records to CSV files and back. Record is bench::RunRecord, EpochRecord, PredictionRow or
/// Comparison.
namespace mpbench::report {

/// Header and rows, RFC 4180 quoting, lines end in a line feed.
template <class Record>
std::string to_csv(std::span<const Record> records) {
  std::string text = csv::line(column_names<Record>());
  for (const Record& record : records) text += csv::line(cells(record));
  return text;
}

/// Writes the whole table atomically: a reader, or a killed program, never leaves or sees half of
/// one.
template <class Record>
void write_csv(const std::filesystem::path& path, std::span<const Record> records) {
  write_file(path, to_csv(records));
}

template <class Record>
void write_csv(const std::filesystem::path& path, const std::vector<Record>& records) {
  write_csv(path, std::span<const Record>(records));
}

/// The last of the columns that every version wrote. Those declared after it are empty in a file of
/// an earlier version.
template <class Record>
constexpr std::string_view last_of_first_version = "";
template <>
inline constexpr std::string_view last_of_first_version<bench::RunRecord> = "note";
template <>
inline constexpr std::string_view last_of_first_version<bench::PredictionRow> = "predicted";
template <>
inline constexpr std::string_view last_of_first_version<bench::Comparison> = "note";

/// Reads a table back. Columns may be in any order and unknown ones are passed over; a missing one
/// of the first version, or a cell that is not of its type, throws InputError naming the file, the
/// line and the column.
template <class Record>
std::vector<Record> read_csv(const std::filesystem::path& path) {
  const csv::Table table = csv::read(path);
  std::vector<std::optional<std::size_t>> places;
  bool required = true;
  for (const std::string& name : column_names<Record>()) {
    places.push_back(required ? table.column(name) : table.find_column(name));
    required = required && name != last_of_first_version<Record>;
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

}  // namespace mpbench::report
