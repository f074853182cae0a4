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

  /// The column's place, or nothing when the file has none of that name.
  std::optional<std::size_t> find_column(std::string_view name) const;
  /// The column's place; throws InputError naming the file and the column.
  std::size_t column(std::string_view name) const;
};

/// Reads a file with a header line. Throws InputError naming the line for a row with more or fewer
/// cells than the header, a broken quote, an empty file or one over 1 GiB.
Table read(const std::filesystem::path& path);

}  // namespace mpbench::csv
