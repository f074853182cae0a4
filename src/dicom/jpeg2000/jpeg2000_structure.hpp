#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mpbench::dicom {

/// Where a tile-part lies in its codestream (ISO/IEC 15444-1 A.4.2).
struct TilePart {
  std::size_t begin = 0;   ///< of its SOT marker
  std::size_t length = 0;  ///< Psot; 0: up to the end marker
};

/// What a JPEG 2000 codestream's headers make a decoder set up, and whether all of it is there.
struct CodestreamStructure {
  /// Upper bounds, equal to the numbers themselves unless tiles or components differ in their
  /// coding style.
  double precincts = 0;    ///< ISO/IEC 15444-1 B.6, of all tiles, components and resolutions
  double packets = 0;      ///< B.9: one for each precinct and layer
  double code_blocks = 0;  ///< B.7
  std::uint32_t tiles = 0;
  /// Tiles that have no tile-part, or fewer than their SOT markers say (A.4.2).
  std::uint32_t incomplete_tiles = 0;
  /// How often the image can be halved while it is decoded: the fewest decomposition levels that
  /// any COD or COC marker gives (A.6.1, A.6.2).
  int fewest_levels = 0;
  /// Whether all tile-parts follow one another up to the end marker (A.4.2).
  bool reaches_end = false;
  std::vector<TilePart> last_parts;        ///< each tile's last, by the tile's number
  std::vector<std::size_t> length_tables;  ///< TLM markers in the main header (A.7.1)
  std::vector<std::size_t> block_styles;   ///< bytes with the code-block style (table A.19)
};

/// Walks over a codestream's headers and tile-parts. Its SIZ must have passed
/// read_codestream_header(). Never throws: it goes as far as a decoder could.
CodestreamStructure read_structure(std::span<const std::byte> codestream);

/// Throws FieldError("PixelData", ...) for a codestream of `bytes` bytes that would make OpenJPEG
/// take memory or time beyond any honest image of its size: it has more packets than bytes, of
/// which each takes one at least (B.10.3), over 262144 precincts (OpenJPEG takes 570 bytes for
/// each) or over 1048576 code-blocks (350 bytes).
void check_complexity(const CodestreamStructure& structure, std::size_t bytes);

}  // namespace mpbench::dicom
