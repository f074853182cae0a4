#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "mpbench/bench/joined_comparison.hpp"

namespace mpbench::report {

/// Several comparisons side by side: where each was measured, in what they differ, the rows of all
/// with a column that names the folder, and the changes of each beside the first one. Escape codes
/// only where `colour` is true. `rows` are bench::joined_rows() of the folders.
std::string joined_table(std::span<const bench::ComparisonFolder> folders,
                         std::span<const bench::JoinedRow> rows, std::size_t width = 80,
                         bool colour = false);

/// The same as Markdown.
std::string joined_markdown(std::span<const bench::ComparisonFolder> folders,
                            std::span<const bench::JoinedRow> rows);

/// The same as JSON: `folders`, `differences`, and `rows` with the columns of bench::JoinedRow, of
/// one folder too. What was not measured is null.
std::string joined_json(std::span<const bench::ComparisonFolder> folders,
                        std::span<const bench::JoinedRow> rows);

}  // namespace mpbench::report
