#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "jpeg2000_structure.hpp"

/// Copies of a codestream in which OpenJPEG notices damage that it would otherwise pass over.
/// `structure` must be the codestream's own, and reach its end.
namespace mpbench::dicom {

/// For damaged code-blocks, which are decoded to other values. A decoder that has lost its way
/// needs more bytes than a code-block has, or fewer. OpenJPEG compares the two where the code-block
/// style says that the encoder has terminated predictably (ISO/IEC 15444-1 D.4.2), and warns; in
/// the copy it says so throughout. Other encoders come nearly as close to the end: see
/// collect_damage(). The values are the same.
std::vector<std::byte> with_checked_blocks(std::span<const std::byte> codestream,
                                           const CodestreamStructure& structure);

/// For packets that are missing at a tile's end, which are taken for empty ones, so that the
/// image lacks its details. In the copy bytes follow that cannot be read as a packet: the first
/// packet header that they are taken for gives a code-block a length of over 32 bits. A decoder
/// that finds all packets never comes to them. Not for the decoding itself: code-blocks could take
/// bytes that they lack from there.
std::vector<std::byte> with_sentinels(std::span<const std::byte> codestream,
                                      const CodestreamStructure& structure);

}  // namespace mpbench::dicom
