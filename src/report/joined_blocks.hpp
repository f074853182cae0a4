#pragma once

#include <span>
#include <vector>

#include "mpbench/bench/joined_comparison.hpp"
#include "summary.hpp"

namespace mpbench::report {

/// Several comparisons without layout: a block of the folders and their differences; the blocks of
/// summarize(), those of one configuration joined, a row each folder and arm; a block of changes
/// for each folder after the first and each configuration.
std::vector<SummaryBlock> joined_blocks(std::span<const bench::ComparisonFolder> folders,
                                        std::span<const bench::JoinedRow> rows);

}  // namespace mpbench::report
