#include "mpbench/report/markdown.hpp"

#include <fmt/format.h>

#include "summary.hpp"

namespace mpbench::report {
namespace {

std::string escape(const std::string& cell) {
  std::string text;
  for (const char c : cell) {
    if (c == '|') text += '\\';
    if (c == '\n') {
      text += "<br>";
    } else if (c != '\r') {
      text += c;
    }
  }
  return text;
}

std::string line(const std::vector<std::string>& cells, std::size_t columns) {
  std::string text = "|";
  for (std::size_t i = 0; i < columns; ++i) {
    text += ' ' + (i < cells.size() ? escape(cells[i]) : std::string()) + " |";
  }
  return text + '\n';
}

std::string markdown(const SummaryTable& table) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    std::vector<std::string>& texts = rows.emplace_back();
    for (const TextCell& cell : row) texts.push_back(cell.text);
  }
  return markdown_table(table.header, rows);
}

}  // namespace

std::string markdown_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = line(header, header.size()) + '|';
  for (std::size_t i = 0; i < header.size(); ++i) text += i == 0 ? " --- |" : " ---: |";
  text += '\n';
  for (const auto& row : rows) text += line(row, header.size());
  return text;
}

std::string blocks_markdown(std::span<const SummaryBlock> blocks) {
  std::string text;
  for (const SummaryBlock& block : blocks) {
    if (!text.empty()) text += '\n';
    text += "## " + block.title.front() + "\n\n";
    for (std::size_t i = 1; i < block.title.size(); ++i) text += block.title[i] + "\n\n";
    if (!block.speed.rows.empty()) text += markdown(block.speed) + '\n';
    if (!block.accuracy.rows.empty()) text += markdown(block.accuracy) + '\n';
    for (const std::string& note : block.notes) text += "- " + note + '\n';
  }
  return text;
}

std::string summary_markdown(std::span<const bench::Comparison> comparisons,
                             std::span<const bench::RunRecord> runs) {
  return blocks_markdown(summarize(comparisons, runs));
}

std::string requirements_markdown(std::span<const bench::RequirementResult> results) {
  std::vector<std::vector<std::string>> rows;
  std::size_t met = 0;
  for (const bench::RequirementResult& each : results) {
    met += each.result.holds ? 1 : 0;
    rows.push_back({each.arm.empty() ? "every arm" : each.arm, each.condition,
                    each.result.holds ? "met" : "**not met**", each.result.found,
                    each.compared_with, each.configuration});
  }
  return fmt::format("## Requirements: {} of {} met\n\n", met, results.size()) +
         markdown_table({"arm", "requirement", "", "found", "beside", "configuration"}, rows);
}

}  // namespace mpbench::report
