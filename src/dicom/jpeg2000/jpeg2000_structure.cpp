#include "jpeg2000_structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "../end_marker.hpp"
#include "../pixel_format.hpp"
#include "mpbench/io/endian.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t start_of_tile_part = 0xFF90;
constexpr std::uint64_t start_of_data = 0xFF93;
constexpr std::uint64_t end_of_codestream = 0xFFD9;
constexpr std::uint64_t coding_style = 0xFF52;
constexpr std::uint64_t component_coding_style = 0xFF53;
constexpr std::uint64_t tile_part_lengths = 0xFF55;
constexpr std::size_t most_levels = 32;            // table A.15
constexpr unsigned most_precinct_exponent = 15;    // table A.21; also where none is given
constexpr unsigned most_code_block_exponent = 10;  // table A.18

/// The finest of all coding styles, by how often a resolution is halved.
struct FinestStyle {
  FinestStyle() {
    precinct_width.fill(most_precinct_exponent);
    precinct_height.fill(most_precinct_exponent);
  }
  std::size_t levels = 0;
  std::size_t fewest_levels = most_levels + 1;  // none given yet
  std::uint64_t layers = 0;
  unsigned code_block_width = most_code_block_exponent;  // exponents of two
  unsigned code_block_height = most_code_block_exponent;
  std::array<unsigned, most_levels + 1> precinct_width{};
  std::array<unsigned, most_levels + 1> precinct_height{};
};

/// One axis of the reference grid (figure B.1).
struct Axis {
  std::uint64_t begin, end;             // of the image
  std::uint64_t tile_begin, tile_size;  // of the first tile, of all

  std::uint64_t tiles() const { return (end - tile_begin + tile_size - 1) / tile_size; }

  /// How many cells of 2^exponent all tiles have together, halved `levels` times (B-15, B-16).
  double cells(std::size_t levels, unsigned exponent) const {
    const auto up = [](std::uint64_t value, std::size_t by) {
      return (value + (std::uint64_t{1} << by) - 1) >> by;
    };
    double all = 0;
    for (std::uint64_t tile = 0; tile < tiles(); ++tile) {
      const std::uint64_t first = std::max(begin, tile_begin + tile * tile_size);
      const std::uint64_t last = std::min(end, tile_begin + (tile + 1) * tile_size);
      const std::uint64_t from = up(first, levels);
      const std::uint64_t to = up(last, levels);
      if (to > from) all += static_cast<double>(up(to, exponent) - (from >> exponent));
    }
    return all;
  }
};

class StructureWalk {
 public:
  explicit StructureWalk(Bytes codestream) : bytes_(codestream) {}

  CodestreamStructure run() {
    // SOC and SIZ stand first, so that their fields do at fixed places (A.5.1).
    const Axis x{field(16, 4), field(8, 4), field(32, 4), field(24, 4)};
    const Axis y{field(20, 4), field(12, 4), field(36, 4), field(28, 4)};
    const auto components = static_cast<double>(field(40, 2));
    CodestreamStructure structure;
    structure.tiles = static_cast<std::uint32_t>(x.tiles() * y.tiles());
    parts_.resize(structure.tiles);
    walk();
    for (const Parts& tile : parts_) structure.last_parts.push_back(tile.last);
    structure.length_tables = length_tables_;
    structure.block_styles = block_styles_;
    for (std::size_t halved = 0; halved <= style_.levels; ++halved) {
      const unsigned width = style_.precinct_width[halved];
      const unsigned height = style_.precinct_height[halved];
      structure.precincts += components * x.cells(halved, width) * y.cells(halved, height);
      // A sub-band has half its resolution's size, in code-blocks no larger than half a precinct
      // (B-17); the fourth is the lowest resolution's own.
      structure.code_blocks += 4 * components *
                               x.cells(halved, std::min(width, style_.code_block_width + 1)) *
                               y.cells(halved, std::min(height, style_.code_block_height + 1));
    }
    structure.fewest_levels =
        style_.fewest_levels <= most_levels ? static_cast<int>(style_.fewest_levels) : 0;
    structure.reaches_end = reaches_end_;
    structure.packets = structure.precincts * static_cast<double>(style_.layers);
    structure.incomplete_tiles = static_cast<std::uint32_t>(std::count_if(
        parts_.begin(), parts_.end(),
        [](const Parts& tile) { return tile.found == 0 || tile.found < tile.announced; }));
    return structure;
  }

 private:
  struct Parts {
    unsigned found = 0;
    unsigned announced = 0;
    TilePart last;
  };

  bool has(std::size_t at, std::size_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  /// A big-endian field; 0 past the end.
  std::uint64_t field(std::size_t at, std::size_t count) const {
    return has(at, count) ? big_endian<std::uint64_t>(bytes_, at, count) : 0;
  }

  void walk() {
    std::size_t at = read_header(2, start_of_tile_part);
    while (field(at, 2) == start_of_tile_part && has(at, 12)) {
      const std::uint64_t tile = field(at + 4, 2);
      const std::uint64_t length = field(at + 6, 4);  // Psot: from SOT's first byte on
      const std::size_t data = read_header(at + 12, start_of_data) + 2;
      if (tile < parts_.size()) {
        ++parts_[tile].found;
        parts_[tile].last = {at, static_cast<std::size_t>(length)};
        parts_[tile].announced =
            std::max(parts_[tile].announced, static_cast<unsigned>(field(at + 11, 1)));
      }
      if (length == 0) reaches_end_ = has_end_marker(bytes_);
      if (length == 0 || !has(at, length)) return;  // up to the end
      at = std::max(at + static_cast<std::size_t>(length), data);
    }
    reaches_end_ = field(at, 2) == end_of_codestream;
  }

  /// Reads marker segments up to the marker `last`, and returns where that is, or the end.
  std::size_t read_header(std::size_t at, std::uint64_t last) {
    while (has(at, 4) && field(at, 2) != last) {
      const std::uint64_t marker = field(at, 2);
      const std::uint64_t length = field(at + 2, 2);
      if (marker < 0xFF00 || length < 2) return bytes_.size();
      if (marker == tile_part_lengths && last == start_of_tile_part) length_tables_.push_back(at);
      if (marker == coding_style) {
        style_.layers = std::max(style_.layers, field(at + 6, 2));
        note_style(at + 9, field(at + 4, 1), at + 2 + length);
      } else if (marker == component_coding_style) {
        // The component is named in one byte; in two where there are over 256, which are not read.
        note_style(at + 6, field(at + 5, 1), at + 2 + length);
      }
      at += 2 + static_cast<std::size_t>(length);
    }
    return std::min(at, bytes_.size());
  }

  /// The fields that COD and COC share (tables A.15, A.20), up to `end`.
  void note_style(std::size_t at, std::uint64_t flags, std::size_t end) {
    const auto levels = static_cast<std::size_t>(field(at, 1));
    if (levels > most_levels) return;
    if (has(at, 4)) block_styles_.push_back(at + 3);
    style_.levels = std::max(style_.levels, levels);
    style_.fewest_levels = std::min(style_.fewest_levels, levels);
    const auto exponent = [&](std::size_t where) {
      return 2 + static_cast<unsigned>(field(where, 1) & 0xF);
    };
    style_.code_block_width = std::min(style_.code_block_width, exponent(at + 1));
    style_.code_block_height = std::min(style_.code_block_height, exponent(at + 2));
    if ((flags & 1) == 0) return;
    for (std::size_t resolution = 0; resolution <= levels; ++resolution) {
      const std::size_t where = at + 5 + resolution;
      if (where >= end) return;
      const auto size = static_cast<unsigned>(field(where, 1));
      const std::size_t halved = levels - resolution;
      style_.precinct_width[halved] = std::min(style_.precinct_width[halved], size & 0xF);
      style_.precinct_height[halved] = std::min(style_.precinct_height[halved], size >> 4);
    }
  }

  Bytes bytes_;
  FinestStyle style_;
  bool reaches_end_ = false;
  std::vector<Parts> parts_;
  std::vector<std::size_t> length_tables_;
  std::vector<std::size_t> block_styles_;
};

}  // namespace

CodestreamStructure read_structure(Bytes codestream) { return StructureWalk(codestream).run(); }

void check_complexity(const CodestreamStructure& structure, std::size_t bytes) {
  constexpr double most_precincts = 1 << 18;
  constexpr double most_code_blocks = 1 << 20;
  const auto refuse = [](double count, const char* what, double most) {
    if (count <= most) return;
    throw FieldError("PixelData",
                     fmt::format("the codestream has {:.0f} {}, over {:.0f}", count, what, most));
  };
  refuse(structure.precincts, "precincts", most_precincts);
  refuse(structure.code_blocks, "code-blocks", most_code_blocks);
  if (structure.packets > static_cast<double>(bytes)) {
    throw FieldError("PixelData", fmt::format("the codestream has {:.0f} packets in {} bytes",
                                              structure.packets, bytes));
  }
}

}  // namespace mpbench::dicom
