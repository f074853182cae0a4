#include "jpeg2000_watched.hpp"

#include <algorithm>
#include <array>

#include "../end_marker.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t psot_offset = 6;     // in SOT (ISO/IEC 15444-1 table A.5)
constexpr std::size_t shortest_part = 14;  // SOT and SOD
constexpr std::size_t sentinel_bytes = 64;
constexpr std::byte comment{0x64};                  // the marker's second byte (A.9.2)
constexpr std::byte predictable_termination{0x10};  // table A.19
constexpr std::byte high_throughput{0x40};          // ISO/IEC 15444-15: another coder

/// All bits are ones but those that are stuffed after FF (B.10.1).
constexpr std::array<std::byte, sentinel_bytes> make_sentinel() {
  std::array<std::byte, sentinel_bytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i % 2 == 0 ? 0xFF : 0x7F);
  return bytes;
}

/// The last tile-part of each tile, in the codestream's order, as far as its length makes sense.
std::vector<TilePart> last_parts(const CodestreamStructure& structure) {
  constexpr std::size_t longest_part = 0xFFFFFFFF - sentinel_bytes;
  std::vector<TilePart> parts = structure.last_parts;
  std::erase_if(parts, [](const TilePart& part) {
    return part.begin == 0 || part.length > longest_part ||
           (part.length != 0 && part.length < shortest_part);
  });
  std::sort(parts.begin(), parts.end(),
            [](const TilePart& a, const TilePart& b) { return a.begin < b.begin; });
  return parts;
}

}  // namespace

std::vector<std::byte> with_checked_blocks(Bytes codestream, const CodestreamStructure& structure) {
  std::vector<std::byte> copy(codestream.begin(), codestream.end());
  for (const std::size_t at : structure.block_styles) {
    if ((copy[at] & high_throughput) == std::byte{0}) copy[at] |= predictable_termination;
  }
  return copy;
}

std::vector<std::byte> with_sentinels(Bytes codestream, const CodestreamStructure& structure) {
  constexpr auto sentinel = make_sentinel();
  const std::vector<TilePart> parts = last_parts(structure);
  std::vector<std::byte> copy;
  copy.reserve(codestream.size() + parts.size() * sentinel_bytes);
  std::size_t taken = 0;
  const auto take_up_to = [&](std::size_t end) {
    if (end <= taken) return;
    copy.insert(copy.end(), codestream.begin() + static_cast<std::ptrdiff_t>(taken),
                codestream.begin() + static_cast<std::ptrdiff_t>(end));
    taken = end;
  };
  for (const TilePart& part : parts) {
    take_up_to(part.begin);
    const std::size_t begin = copy.size();
    take_up_to(part.length == 0 ? end_marker_offset(codestream) : part.begin + part.length);
    copy.insert(copy.end(), sentinel.begin(), sentinel.end());
    if (part.length == 0) continue;
    const std::size_t length = part.length + sentinel_bytes;
    for (std::size_t i = 0; i < 4; ++i) {
      copy[begin + psot_offset + i] = std::byte(length >> (24 - 8 * i) & 0xFF);
    }
  }
  take_up_to(codestream.size());
  // Tables of the tile-parts' lengths are wrong now: they become comments.
  for (const std::size_t at : structure.length_tables) copy[at + 1] = comment;
  return copy;
}

}  // namespace mpbench::dicom
