#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/requirement.hpp"
#include "mpbench/bench/run_record.hpp"

namespace mpbench::report {

/// A GitHub-flavoured table: the first column to the left, the others to the right; '|' and line
/// breaks in cells are escaped.
std::string markdown_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows);

/// The same content as summary_table, for a file or a pull request.
std::string summary_markdown(std::span<const bench::Comparison> comparisons,
                             std::span<const bench::RunRecord> runs);

/// Which requirements are met, and what was found, a row each.
std::string requirements_markdown(std::span<const bench::RequirementResult> results);

}  // namespace mpbench::report
