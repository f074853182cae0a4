#include <fmt/format.h>
#include <unistd.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comparison_folder.hpp"
#include "gate.hpp"
#include "mpbench/bench/joined_comparison.hpp"
#include "mpbench/bench/requirement.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/io/csv_records.hpp"
#include "mpbench/report/joined_report.hpp"
#include "mpbench/report/markdown.hpp"
#include "mpbench/report/terminal_table.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

std::vector<bench::ComparisonFolder> read_all(const ReportOptions& options) {
  const std::vector<std::string> names = folder_names(options.folders);
  std::vector<bench::ComparisonFolder> folders;
  for (std::size_t i = 0; i < options.folders.size(); ++i) {
    folders.push_back(read_comparison(options.folders[i], names[i]));
  }
  return folders;
}

bool is_one(std::span<const bench::ComparisonFolder> folders) { return folders.size() == 1; }

std::string markdown_of(std::span<const bench::ComparisonFolder> folders,
                        std::span<const bench::JoinedRow> rows) {
  return is_one(folders)
             ? report::summary_markdown(folders[0].comparisons, folders[0].measured.runs)
             : report::joined_markdown(folders, rows);
}

std::string csv_of(std::span<const bench::ComparisonFolder> folders,
                   std::span<const bench::JoinedRow> rows) {
  return is_one(folders) ? csv::to_text(std::span<const bench::Comparison>(folders[0].comparisons))
                         : csv::to_text(rows);
}

/// For whom standard output is: colours are for a terminal.
std::string table_of(std::span<const bench::ComparisonFolder> folders,
                     std::span<const bench::JoinedRow> rows) {
  const std::size_t width = terminal_width();
  const bool colour = terminal_colours() && isatty(STDOUT_FILENO) != 0;
  return is_one(folders) ? report::summary_table(folders[0].comparisons, folders[0].measured.runs,
                                                 width, colour)
                         : report::joined_table(folders, rows, width, colour);
}

std::string text_of(ReportFormat format, std::span<const bench::ComparisonFolder> folders,
                    std::span<const bench::JoinedRow> rows) {
  switch (format) {
    case ReportFormat::csv:
      return csv_of(folders, rows);
    case ReportFormat::json:
      return report::joined_json(folders, rows);
    case ReportFormat::markdown:
      return markdown_of(folders, rows);
    case ReportFormat::table:
      break;
  }
  return table_of(folders, rows);
}

/// The changes of one folder beside the first, as rows that requirements are held against.
std::vector<bench::Comparison> changes_of(std::span<const bench::JoinedRow> rows,
                                          const std::string& folder) {
  std::vector<bench::Comparison> changes;
  for (const bench::JoinedRow& each : rows) {
    if (each.where.compared_folder.empty() || each.where.folder != folder) continue;
    bench::Comparison& change = changes.emplace_back(each.row);
    change.compared_with = fmt::format("{} of {}", each.row.arm, each.where.compared_folder);
  }
  return changes;
}

/// Adds results. With the folder's name, where several folders may have a configuration of one
/// name.
void add_results(std::vector<bench::RequirementResult> results, const std::string& folder,
                 std::vector<bench::RequirementResult>& all) {
  for (bench::RequirementResult& each : results) {
    if (!folder.empty()) {
      each.configuration =
          each.configuration.empty() ? folder : fmt::format("{}: {}", folder, each.configuration);
    }
    all.push_back(std::move(each));
  }
}

/// Of one folder its own rows are held against the requirements; of several the changes of each
/// beside the first.
GateReport gate_report(const ReportOptions& options,
                       std::span<const bench::ComparisonFolder> folders,
                       std::span<const bench::JoinedRow> rows) {
  GateReport told;
  told.markdown = markdown_of(folders, rows);
  const auto add = [&](const std::vector<bench::Comparison>& found,
                       const bench::ComparisonFolder& folder) {
    const std::vector<bench::RunRecord>& runs = folder.measured.runs;
    const std::string name = folders.size() > 2 ? folder.name : "";
    add_results(bench::check_requirements(options.requirements, found, runs), name,
                told.requirements);
    add_results(bench::arm_outcomes(found, runs), name, told.outcomes);
  };
  if (is_one(folders)) add(folders[0].comparisons, folders[0]);
  for (const bench::ComparisonFolder& later : folders.subspan(1)) {
    add(changes_of(rows, later.name), later);
  }
  return told;
}

}  // namespace

ExitCode run_report(const ReportOptions& options) {
  prepare_gate_files(options.gate);
  const std::vector<bench::ComparisonFolder> folders = read_all(options);
  const std::vector<bench::JoinedRow> rows = bench::joined_rows(folders);
  fmt::print("{}", text_of(options.format, folders, rows));
  const GateReport told = gate_report(options, folders, rows);
  const bool all_hold = tell_requirements(told.requirements);
  write_gate_files(options.gate, told);
  return all_hold ? ExitCode::done : ExitCode::requirement;
}

}  // namespace mpbench::commands
