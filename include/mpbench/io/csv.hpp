#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Comma-separated values as RFC 4180 has them: what we read from strangers and what we write for
/// scripts.
namespace mpbench::csv {

/// A cell as it stands in a file: quoted when it holds a comma, a quote or a line break.
std::string quote(std::string_view cell);

/// One line with its line feed.
std::string line(const std::vector<std::string>& cells);

/// A whole file in memory: a header and rows that all have as many cells as the header.
struct Table {
  std::filesystem::path path;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  /// Each row's number in the file, without empty lines; the header's is 1.
  std::vector<std::size_t> numbers;

  /// The column's place, or nothing when the file has none of that name. Throws InputError where it
  /// has two.
  std::optional<std::size_t> find_column(std::string_view name) const;
  /// The column's place; throws InputError naming the file and the column.
  std::size_t column(std::string_view name) const;
};

/// Reads a file with a header line. What spreadsheet programs write is taken, and said on the log
/// where it is more than a byte-order mark or another line ending: semicolons or tabs between
/// cells, a first line "sep=;", spaces around column names and around quoted cells, empty cells
/// behind the last column, rows without a single value.
///
/// Throws InputError naming the row for one with more or fewer cells than the header or a broken
/// quote; and for an empty file, one that is no text (a workbook, a Git LFS pointer, UTF-16) and
/// one over 1 GiB.
Table read(const std::filesystem::path& path);

/// The column names alone; nothing for a file that read() refuses. Does not read the whole file.
std::vector<std::string> read_header(const std::filesystem::path& path);

}  // namespace mpbench::csv
