#include "mpbench/io/csv.hpp"

#include <csv.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>

#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/file_type.hpp"
#include "mpbench/io/mapped_file.hpp"

namespace mpbench::csv {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 30;
constexpr std::size_t max_header_bytes = std::size_t{1} << 20;
constexpr std::string_view blanks = " \t";
constexpr std::string_view other_separators = ";\t|";

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

/// How a text's cells are told apart.
struct Dialect {
  std::string_view text;  // without marks before the header
  char separator = ',';
  std::vector<std::string> notes;  // what of it is unusual
};

std::string_view first_line(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (!quoted && (text[i] == '\n' || text[i] == '\r')) return text.substr(0, i);
  }
  return text;
}

const char* name_of(char separator) {
  return separator == ';' ? "semicolons" : separator == '\t' ? "tabs" : "vertical bars";
}

/// A comma where the header has one; else what alone it has in place of it.
char find_separator(std::string_view header) {
  std::array<std::size_t, other_separators.size()> counts{};
  bool quoted = false;
  for (const char c : header) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') return ',';
    if (const auto which = other_separators.find(c); which != std::string_view::npos)
      ++counts[which];
  }
  const auto present = std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  if (present != 1) return ',';
  const auto which = std::find_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  return other_separators[static_cast<std::size_t>(which - counts.begin())];
}

Dialect find_dialect(std::string_view text) {
  Dialect dialect{.text = text, .notes = {}};
  while (dialect.text.starts_with("\xEF\xBB\xBF")) dialect.text.remove_prefix(3);
  const auto line = first_line(dialect.text);
  const bool says_separator = line.size() == 5 && line.starts_with("sep=") &&
                              (line[4] == ',' || other_separators.find(line[4]) != line.npos);
  if (says_separator) {
    dialect.separator = line[4];
    dialect.text.remove_prefix(line.size());
    while (dialect.text.starts_with('\r') || dialect.text.starts_with('\n')) {
      dialect.text.remove_prefix(1);
    }
  } else {
    dialect.separator = find_separator(line);
  }
  if (dialect.separator != ',') {
    dialect.notes.push_back(fmt::format("cells are separated by {}", name_of(dialect.separator)));
  }
  return dialect;
}

int no_blank(unsigned char) { return 0; }
int space(unsigned char c) { return c == ' ' ? 1 : 0; }
int space_or_tab(unsigned char c) { return c == ' ' || c == '\t' ? 1 : 0; }

using Parser = std::unique_ptr<csv_parser, void (*)(csv_parser*)>;

/// The parser's complaint; empty where there is none. `reading` has the rows before it.
std::string parse(const Dialect& dialect, bool strip_blanks, Reading& reading) {
  csv_parser parser{};
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw Error("libcsv does not start");
  const Parser guard(&parser, csv_free);
  csv_set_delim(&parser, static_cast<unsigned char>(dialect.separator));
  // libcsv strips blanks from unquoted cells unless told that none are; RFC 4180 keeps them.
  csv_set_space_func(&parser, !strip_blanks               ? no_blank
                              : dialect.separator == '\t' ? space
                                                          : space_or_tab);
  const std::size_t parsed =
      csv_parse(&parser, dialect.text.data(), dialect.text.size(), on_cell, on_row, &reading);
  if (parsed == dialect.text.size() && csv_fini(&parser, on_cell, on_row, &reading) == 0) return {};
  return csv_strerror(csv_error(&parser));
}

bool is_blank(std::string_view cell) { return cell.find_first_not_of(blanks) == cell.npos; }

bool has_no_value(const std::vector<std::string>& row) {
  return std::all_of(row.begin(), row.end(), is_blank);
}

/// Trims the names. Returns whether any had blanks.
bool trim_names(std::vector<std::string>& header) {
  bool trimmed = false;
  for (auto& name : header) {
    const auto begin = std::min(name.find_first_not_of(blanks), name.size());
    const auto end = name.find_last_not_of(blanks);
    auto kept = is_blank(name) ? std::string() : name.substr(begin, end - begin + 1);
    trimmed = trimmed || (kept != name && !kept.empty());
    name = std::move(kept);
  }
  return trimmed;
}

/// Brings a row to the header's length where it differs in empty cells at the end. Returns whether
/// it did; throws InputError where that does not help.
bool fit_row(const std::filesystem::path& path, std::size_t number,
             const std::vector<std::string>& header, std::vector<std::string>& row) {
  const auto cells = row.size();
  while (row.size() > header.size() && is_blank(row.back())) row.pop_back();
  while (row.size() < header.size() && header[row.size()].empty()) row.emplace_back();
  if (row.size() != header.size()) {
    throw InputError(path, fmt::format("row {}", number),
                     fmt::format("it has {} cells where the header has {}", cells, header.size()));
  }
  return row.size() != cells;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void require_text(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (bytes.size() > max_bytes) throw InputError(path, "size", "over 1 GiB: not a table of labels");
  const auto type = file_type(bytes);
  const bool has_zero =
      as_text(bytes).substr(0, file_type_bytes).find('\0') != std::string_view::npos;
  if (type == FileType::git_lfs_pointer) {
    throw InputError(path, "file", fmt::format("it is {}", describe(type)));
  }
  if (type == FileType::zip) {
    throw InputError(
        path, "file",
        "it is a ZIP archive, as an Excel workbook is: unpack it, or save the table as "
        "CSV in UTF-8");
  }
  if (type == FileType::utf16_text || has_zero) {
    throw InputError(path, "file",
                     fmt::format("it is {}: save the table as CSV in UTF-8",
                                 type == FileType::unknown ? "no text" : describe(type)));
  }
}

/// The rows of a text, the header first. Throws InputError.
std::vector<std::vector<std::string>> parse_rows(const std::filesystem::path& path,
                                                 Dialect& dialect) {
  Reading reading;
  const auto problem = parse(dialect, false, reading);
  if (problem.empty()) return std::move(reading.rows);
  // Blanks around a quoted cell are not RFC 4180's, but there is only one way to understand them.
  Reading stripped;
  if (!parse(dialect, true, stripped).empty()) {
    throw InputError(path, fmt::format("row {}", reading.rows.size() + 1), problem);
  }
  dialect.notes.emplace_back("spaces around cells are left out");
  return std::move(stripped.rows);
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
  if (std::find(found + 1, header.end(), name) != header.end()) {
    throw InputError(path, fmt::format("column {}", name), "the header line has two of that name");
  }
  return static_cast<std::size_t>(found - header.begin());
}

std::size_t Table::column(std::string_view name) const {
  if (const auto place = find_column(name)) return *place;
  constexpr std::size_t most_named = 24;
  const auto named = static_cast<std::ptrdiff_t>(std::min(header.size(), most_named));
  throw InputError(path, fmt::format("column {}", name),
                   fmt::format("there is no such column in the header line, which has: {}{}",
                               fmt::join(header.begin(), header.begin() + named, ", "),
                               header.size() > most_named ? ", ..." : ""));
}

Table read(const std::filesystem::path& path) {
  const MappedFile file(path);
  require_text(path, file.bytes());
  auto dialect = find_dialect(as_text(file.bytes()));
  auto rows = parse_rows(path, dialect);
  if (rows.empty()) throw InputError(path, "header", "the file is empty");
  std::size_t first = 0;
  while (first + 1 < rows.size() && has_no_value(rows[first])) ++first;
  Table table{.path = path, .header = std::move(rows[first]), .rows = {}, .numbers = {}};
  if (trim_names(table.header)) {
    dialect.notes.emplace_back("spaces around column names are left out");
  }
  std::size_t fitted = 0;
  std::size_t empty = 0;
  for (std::size_t i = first + 1; i < rows.size(); ++i) {
    // A table of one column may have an empty cell in it.
    if (table.header.size() > 1 && has_no_value(rows[i])) {
      ++empty;
      continue;
    }
    fitted += fit_row(path, i + 1, table.header, rows[i]) ? 1 : 0;
    table.rows.push_back(std::move(rows[i]));
    table.numbers.push_back(i + 1);
  }
  if (fitted > 0) {
    dialect.notes.push_back(fmt::format("empty cells behind the last column, in {} rows", fitted));
  }
  if (empty > 0)
    dialect.notes.push_back(fmt::format("{} rows without a value are left out", empty));
  if (!dialect.notes.empty()) {
    spdlog::info("{}: {}", printable_text(path.native()), fmt::join(dialect.notes, "; "));
  }
  return table;
}

std::vector<std::string> read_header(const std::filesystem::path& path) {
  try {
    const MappedFile file(path);
    require_text(path, file.bytes());
    auto dialect =
        find_dialect(as_text(file.bytes().first(std::min(file.bytes().size(), max_header_bytes))));
    dialect.text = first_line(dialect.text);
    auto rows = parse_rows(path, dialect);
    if (rows.empty()) return {};
    trim_names(rows.front());
    return std::move(rows.front());
  } catch (const Error&) {
    return {};
  }
}

}  // namespace mpbench::csv
