#include "mpbench/core/csv.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "mpbench/core/error.hpp"
#include "mpbench/core/mapped_file.hpp"

namespace mpbench::csv {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 30;

struct Reading {
  std::vector<std::string> cells;
  std::vector<std::vector<std::string>> rows;
};

void on_cell(void* text, std::size_t size, void* reading) {
  static_cast<Reading*>(reading)->cells.emplace_back(static_cast<const char*>(text), size);
}

void on_row(int, void* reading) {
  auto& state = *static_cast<Reading*>(reading);
  state.rows.push_back(std::move(state.cells));
  state.cells.clear();
}

}  // namespace

std::string quote(std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(cell);
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string line(const std::vector<std::string>& cells) {
  // Readers pass over an empty line: one empty cell is written as a quoted one.
  if (cells.size() == 1 && cells.front().empty()) return "\"\"\n";
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += ',';
    text += quote(cells[i]);
  }
  return text + '\n';
}

std::optional<std::size_t> Table::find_column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

std::size_t Table::column(std::string_view name) const {
  if (const auto place = find_column(name)) return *place;
  throw InputError(path, fmt::format("column {}", name),
                   "there is no such column in the header line");
}

Table read(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > max_bytes) throw InputError(path, "size", "over 1 GiB: not a table of labels");
  csv_parser parser{};
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw Error("libcsv does not start");
  // libcsv strips blanks from unquoted cells unless told that none are; RFC 4180 keeps them.
  csv_set_space_func(&parser, [](unsigned char) { return 0; });
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> guard(&parser, csv_free);
  Reading reading;
  const std::size_t parsed =
      csv_parse(&parser, bytes.data(), bytes.size(), on_cell, on_row, &reading);
  if (parsed != bytes.size() || csv_fini(&parser, on_cell, on_row, &reading) != 0) {
    throw InputError(path, fmt::format("row {}", reading.rows.size() + 1),
                     csv_strerror(csv_error(&parser)));
  }
  if (reading.rows.empty()) throw InputError(path, "header", "the file is empty");
  Table table{.path = path, .header = std::move(reading.rows.front()), .rows = {}};
  // Spreadsheet programs put a byte-order mark before the first name.
  if (table.header.front().starts_with("\xEF\xBB\xBF")) table.header.front().erase(0, 3);
  reading.rows.erase(reading.rows.begin());
  table.rows = std::move(reading.rows);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows[i].size() != table.header.size()) {
      throw InputError(path, fmt::format("row {}", i + 2),
                       fmt::format("it has {} cells where the header has {}", table.rows[i].size(),
                                   table.header.size()));
    }
  }
  return table;
}

}  // namespace mpbench::csv
