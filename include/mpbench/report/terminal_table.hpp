#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/run_record.hpp"

namespace mpbench::report {

enum class Colour { none, good, bad, dim, bold };

struct TextCell {
  std::string text;
  Colour colour = Colour::none;
};

/// A table of aligned columns: the first to the left, the others to the right.
class TerminalTable {
 public:
  explicit TerminalTable(std::vector<std::string> header) : header_(std::move(header)) {}
  /// A row shorter than the header ends in empty cells; a longer one throws Error.
  void add_row(std::vector<TextCell> row);
  /// Leaves out columns, by their names in this order, until what is left fits `width`.
  void drop_columns(const std::vector<std::string>& spare, std::size_t width);
  /// Lines with their line feeds. Wider than `width`, its widest cells are cut with an ellipsis.
  std::string render(std::size_t width, bool colour) const;

 private:
  std::vector<std::size_t> widths() const;

  std::vector<std::string> header_;
  std::vector<std::vector<TextCell>> rows_;
};

/// What a person sees at the end of a comparison: for every configuration one table of speed and
/// memory and one of accuracy, a row each precision, and the notes. Escape codes only where
/// `colour` is true. Fits 80 columns.
std::string summary_table(std::span<const bench::Comparison> comparisons,
                          std::span<const bench::RunRecord> runs, std::size_t width = 80,
                          bool colour = false);

}  // namespace mpbench::report
