#include "frame_fragments.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "jpeg2000/jpeg2000_codestream.hpp"
#include "mpbench/io/endian.hpp"
#include "mpbench/io/jpeg_markers.hpp"
#include "pixel_format.hpp"

namespace mpbench::dicom {
namespace {

/// The offset table and the fragments after it. One walk over them all: DCMTK takes time linear in
/// its number to find a single one, and hostile files have a million.
std::vector<DcmPixelItem*> items_of(DcmPixelSequence& sequence) {
  std::vector<DcmPixelItem*> items;
  items.reserve(sequence.card());
  DcmObject* item = nullptr;
  while ((item = sequence.nextInContainer(item)) != nullptr) {
    auto* pixel_item = dynamic_cast<DcmPixelItem*>(item);
    if (pixel_item == nullptr) {
      throw FieldError("PixelData", fmt::format("fragment {} is none", items.size()));
    }
    items.push_back(pixel_item);
  }
  return items;
}

std::span<const std::byte> item_bytes(const std::vector<DcmPixelItem*>& items, std::size_t index) {
  Uint8* data = nullptr;
  const Uint32 length = items[index]->getLength();
  if (length == 0) return {};
  if (items[index]->getUint8Array(data).bad() || data == nullptr) {
    throw FieldError("PixelData", fmt::format("fragment {} cannot be read", index));
  }
  return {reinterpret_cast<const std::byte*>(data), length};
}

/// Where each frame begins by the offset table, or nothing when the table is empty or wrong.
std::optional<std::vector<std::size_t>> starts_by_table(const std::vector<DcmPixelItem*>& items,
                                                        int frames) {
  const auto table = item_bytes(items, 0);
  if (table.size() != 4 * static_cast<std::size_t>(frames)) return std::nullopt;
  std::vector<std::size_t> starts;
  std::uint64_t position = 0;
  std::size_t item = 1;
  for (std::size_t frame = 0; frame < static_cast<std::size_t>(frames); ++frame) {
    const std::uint64_t wanted = little_endian(table, 4 * frame);
    // An offset counts item headers (8 bytes) and padding to even lengths.
    while (item < items.size() && position < wanted) {
      const std::size_t length = items[item]->getLength();
      position += 8 + length + length % 2;
      ++item;
    }
    if (position != wanted || item >= items.size() || (!starts.empty() && starts.back() == item)) {
      return std::nullopt;
    }
    starts.push_back(item);
  }
  if (starts.front() != 1) return std::nullopt;
  return starts;
}

/// Where each frame begins by the first bytes of a codestream, or nothing when the count is
/// another.
std::optional<std::vector<std::size_t>> starts_by_codestream(
    const std::vector<DcmPixelItem*>& items, int frames) {
  std::vector<std::size_t> starts;
  for (std::size_t item = 1; item < items.size(); ++item) {
    const auto bytes = item_bytes(items, item);
    if (begins_jpeg2000(bytes) || jpeg::begins_stream(bytes)) starts.push_back(item);
  }
  if (starts.size() != static_cast<std::size_t>(frames) || starts.front() != 1) return std::nullopt;
  return starts;
}

}  // namespace

FrameFragments find_fragments(DcmPixelSequence& sequence, int frame, int frames) {
  const unsigned long items = sequence.card();
  if (items < 2) throw FieldError("PixelData", "has no fragments");
  if (frame < 0 || frame >= frames) {
    throw FieldError("NumberOfFrames", fmt::format("is {}: there is no frame {}", frames, frame));
  }
  if (frames == 1) return {1, items};
  const auto index = static_cast<unsigned long>(frame);
  const auto count = static_cast<unsigned long>(frames);
  if (items - 1 == count) return {index + 1, index + 2};
  if (items - 1 < count) {
    throw FieldError("PixelData",
                     fmt::format("has {} fragments, NumberOfFrames is {}", items - 1, frames));
  }
  const std::vector<DcmPixelItem*> all = items_of(sequence);
  auto starts = starts_by_table(all, frames);
  if (!starts) starts = starts_by_codestream(all, frames);
  if (!starts) {
    throw FieldError("PixelData",
                     fmt::format("{} fragments for {} frames, and neither the offset table nor the "
                                 "codestreams tell where each begins",
                                 items - 1, frames));
  }
  return {(*starts)[index], index + 1 < count ? (*starts)[index + 1] : items};
}

EncodedFrame read_fragments(DcmPixelSequence& sequence, FrameFragments fragments) {
  const std::vector<DcmPixelItem*> items = items_of(sequence);
  if (fragments.last > items.size()) throw FieldError("PixelData", "has fewer fragments than that");
  EncodedFrame frame;
  if (fragments.last - fragments.first == 1) {
    frame.bytes = item_bytes(items, fragments.first);
    return frame;
  }
  for (std::size_t item = fragments.first; item < fragments.last; ++item) {
    const auto bytes = item_bytes(items, item);
    frame.joined.insert(frame.joined.end(), bytes.begin(), bytes.end());
  }
  frame.bytes = frame.joined;
  return frame;
}

}  // namespace mpbench::dicom
