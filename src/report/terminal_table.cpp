#include "mpbench/report/terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "summary.hpp"

namespace mpbench::report {
namespace {

constexpr std::string_view gap = "  ";
constexpr std::string_view ellipsis = "...";
constexpr std::size_t narrowest = 6;

std::string fit(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width <= ellipsis.size()) return std::string(first_columns(text, width));
  return std::string(first_columns(text, width - ellipsis.size())) + std::string(ellipsis);
}

std::string_view escape(Colour colour) {
  switch (colour) {
    case Colour::good:
      return "\x1b[32m";
    case Colour::bad:
      return "\x1b[31m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::none:
      break;
  }
  return "";
}

std::string paint(const std::string& text, Colour colour, bool enabled) {
  if (!enabled || colour == Colour::none || text.empty()) return text;
  return fmt::format("{}{}\x1b[0m", escape(colour), text);
}

/// Of a line with columns of these widths.
std::size_t line_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), gap.size() * (widths.size() - 1));
}

/// The widest column gives way until the table fits.
void shrink(std::vector<std::size_t>& widths, std::size_t width) {
  while (line_width(widths) > width) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= narrowest) return;
    --*widest;
  }
}

void append_row(std::string& out, const std::vector<TextCell>& row,
                const std::vector<std::size_t>& widths, bool colour) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const TextCell cell = i < row.size() ? row[i] : TextCell{};
    const std::string text = fit(cell.text, widths[i]);
    const std::string padding(widths[i] - display_width(text), ' ');
    if (i > 0) line += gap;
    line += i == 0 ? paint(text, cell.colour, colour) + padding
                   : padding + paint(text, cell.colour, colour);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

TerminalTable terminal_table(const SummaryTable& table, std::size_t width) {
  TerminalTable terminal(table.header);
  for (const auto& row : table.rows) terminal.add_row(row);
  terminal.drop_columns(table.spare, width);
  return terminal;
}

}  // namespace

void TerminalTable::add_row(std::vector<TextCell> row) {
  if (row.size() > header_.size()) {
    throw Error(
        fmt::format("a row of {} cells in a table of {} columns", row.size(), header_.size()));
  }
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> TerminalTable::widths() const {
  std::vector<std::size_t> widths;
  for (const std::string& name : header_) widths.push_back(display_width(name));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  return widths;
}

void TerminalTable::drop_columns(const std::vector<std::string>& spare, std::size_t width) {
  for (const std::string& name : spare) {
    if (header_.empty() || line_width(widths()) <= width) return;
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found == header_.end()) continue;
    const auto place = found - header_.begin();
    header_.erase(found);
    for (auto& row : rows_) {
      if (std::ssize(row) > place) row.erase(row.begin() + place);
    }
  }
}

std::string TerminalTable::render(std::size_t width, bool colour) const {
  std::vector<std::size_t> widths = this->widths();
  if (widths.empty()) return "";
  std::vector<TextCell> header;
  for (const std::string& name : header_) header.push_back({name, Colour::bold});
  shrink(widths, width);
  std::string out;
  append_row(out, header, widths, colour);
  for (const auto& row : rows_) append_row(out, row, widths, colour);
  return out;
}

std::string blocks_table(std::span<const SummaryBlock> blocks, std::size_t width, bool colour) {
  std::string out;
  for (const SummaryBlock& block : blocks) {
    if (!out.empty()) out += '\n';
    for (const std::string& line : block.title) {
      out += paint(fit(line, width), Colour::bold, colour) + '\n';
    }
    if (!block.speed.rows.empty()) {
      out += '\n' + terminal_table(block.speed, width).render(width, colour);
    }
    if (!block.accuracy.rows.empty()) {
      out += '\n' + terminal_table(block.accuracy, width).render(width, colour);
    }
    if (!block.notes.empty()) out += '\n';
    for (const std::string& note : block.notes) out += wrap(note, width, "  ");
  }
  return out;
}

std::string summary_table(std::span<const bench::Comparison> comparisons,
                          std::span<const bench::RunRecord> runs, std::size_t width, bool colour) {
  return blocks_table(summarize(comparisons, runs), width, colour);
}

}  // namespace mpbench::report
