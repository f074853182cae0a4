#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "mpbench/io/endian.hpp"

namespace mpbench::dicom {

/// What a parser met after a file's own PixelData, not that of an icon.
struct AfterPixelData {
  /// Where it ends in the file. Not set when it is missing or incomplete, or lies in a deflated
  /// dataset.
  std::optional<std::size_t> begin;
  bool misplaced_elements = false;  ///< elements of smaller tags, which belong before it
  bool second_image = false;        ///< Rows or PixelData once more
};

/// Finds where a dataset's PixelData ends, from the tags that its parser comes by.
class PixelDataWatch {
 public:
  /// A tag, of which `next` are the first bytes, at an offset in the file and a depth of the stack.
  void note_tag(std::span<const std::byte> next, std::size_t offset, std::size_t depth) {
    const bool is_big = read_tag(next, true) == pixel_data;
    const std::uint32_t tag = read_tag(next, is_big || (pixels_ && pixels_->is_big));
    last_ = {tag, offset};
    if (pixels_ && depth == pixels_->depth) {
      if (!after_.begin) after_.begin = offset;
      if (tag < pixel_data) after_.misplaced_elements = true;
      if (tag == pixel_data || (tag == rows && rows_depth_ == depth)) after_.second_image = true;
    }
    if (tag == rows) rows_depth_ = std::min(depth, rows_depth_.value_or(depth));
    // An icon's PixelData comes before the dataset's, and lies deeper.
    if (tag == pixel_data && (!pixels_ || depth < pixels_->depth)) {
      pixels_ = Element{depth, is_big};
      after_ = {};
    }
  }

  /// `position` is where the parser stopped.
  AfterPixelData after(std::size_t position) const {
    AfterPixelData found = after_;
    // Where too few bytes follow for a tag, the parser does not come by one.
    const bool was_last = pixels_ && (last_.tag == sequence_delimiter || last_.tag == pixel_data);
    if (was_last && !found.begin && position >= last_.offset + 8) found.begin = position;
    return found;
  }

 private:
  static constexpr std::uint32_t pixel_data = 0x7FE00010;
  static constexpr std::uint32_t rows = 0x00280010;
  static constexpr std::uint32_t sequence_delimiter = 0xFFFEE0DD;

  struct Element {
    std::size_t depth;
    bool is_big;
  };
  struct Tag {
    std::uint32_t tag = 0;
    std::size_t offset = 0;
  };

  /// Group and element, each a number of two bytes.
  static std::uint32_t read_tag(std::span<const std::byte> bytes, bool is_big) {
    if (bytes.size() < 4) return 0;
    return is_big ? big_endian(bytes, 0)
                  : little_endian(bytes, 0, 2) << 16 | little_endian(bytes, 2, 2);
  }

  std::optional<Element> pixels_;
  std::optional<std::size_t> rows_depth_;  // of the Rows that lie least deep
  Tag last_;
  AfterPixelData after_;
};

}  // namespace mpbench::dicom
