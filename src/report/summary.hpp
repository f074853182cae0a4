#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/report/terminal_table.hpp"

namespace mpbench::report {

struct SummaryTable {
  std::vector<std::string> header;
  std::vector<std::vector<TextCell>> rows;
  /// Columns that a terminal too narrow for all does without, the first of them first.
  std::vector<std::string> spare;
};

/// One configuration: the baseline and its arms, in words and figures but without layout.
struct SummaryBlock {
  std::string configuration;  ///< its name; empty in comparisons of earlier versions
  std::vector<std::string> title;
  SummaryTable speed;
  SummaryTable accuracy;
  std::vector<std::string> notes;
};

/// Comparisons that share a configuration and a baseline make one block. Absolute figures are
/// medians over the runs that the comparison names and that are ok; "-" where there is none.
std::vector<SummaryBlock> summarize(std::span<const bench::Comparison> comparisons,
                                    std::span<const bench::RunRecord> runs);

/// Blocks one below the other, for a terminal: escape codes only where `colour` is true.
std::string blocks_table(std::span<const SummaryBlock> blocks, std::size_t width, bool colour);
/// Blocks one below the other, as Markdown.
std::string blocks_markdown(std::span<const SummaryBlock> blocks);

}  // namespace mpbench::report
