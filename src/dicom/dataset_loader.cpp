#include "dataset_loader.hpp"

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dctag.h>
#include <dcmtk/dcmdata/dcvr.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "guarded_stream.hpp"
#include "mpbench/io/endian.hpp"
#include "pixel_format.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

/// The header of a data element (PS3.5 7.1).
struct ElementHeader {
  DcmTagKey tag;
  bool has_vr = false;        ///< one of the standard's, in explicit VR
  std::size_t length = 0;     ///< of the value
  std::size_t header = 8;     ///< bytes of the header itself
  bool is_undefined = false;  ///< the length is
};

/// Reads the header of an element. `bytes` has at least 8.
ElementHeader read_header(Bytes bytes, const DcmXfer& syntax) {
  const bool big = syntax.getByteOrder() == EBO_BigEndian;
  // 0 where the header breaks off: such an element does not fit, whatever its length.
  const auto number = [&](std::size_t at, std::size_t count) {
    if (at + count > bytes.size()) return std::uint32_t{0};
    return big ? big_endian(bytes, at, count) : little_endian(bytes, at, count);
  };
  ElementHeader element;
  element.tag = {static_cast<Uint16>(number(0, 2)), static_cast<Uint16>(number(2, 2))};
  std::uint32_t length = number(4, 4);
  if (syntax.isExplicitVR() == OFTrue) {
    const std::array<char, 3> name{std::to_integer<char>(bytes[4]), std::to_integer<char>(bytes[5]),
                                   0};
    const DcmVR vr(name.data());
    element.has_vr = vr.isStandard() == OFTrue;
    const bool is_long = vr.usesExtendedLengthEncoding() == OFTrue;
    element.header = is_long ? 12 : 8;
    length = is_long ? number(8, 4) : number(6, 2);
  }
  element.is_undefined = length == DCM_UndefinedLength;
  element.length = length;
  return element;
}

/// Groups that no dataset has (PS3.5 7.1, 7.8): commands, meta header, FFFF.
bool is_legal(const DcmTagKey& tag) { return tag.getGroup() >= 0x0008 && tag.getGroup() != 0xFFFF; }

bool fits(const ElementHeader& element, std::size_t bytes) {
  return element.header <= bytes && element.length <= bytes - element.header;
}

bool is_known(const DcmTagKey& key) {
  const DcmTag tag(key);
  return tag.getEVR() != EVR_UNKNOWN && tag.getEVR() != EVR_UNKNOWN2B;
}

/// Whether an element begins here, be it whole or not: with a legal tag and VR, and either a length
/// that fits or a tag that is known or, where the VR tells that it is no other bytes, in order.
bool begins_element(Bytes bytes, const DcmXfer& syntax) {
  if (bytes.size() < 8) return false;
  const ElementHeader element = read_header(bytes, syntax);
  const bool is_explicit = syntax.isExplicitVR() == OFTrue;
  if (!is_legal(element.tag) || (is_explicit && !element.has_vr)) return false;
  return is_known(element.tag) || fits(element, bytes.size()) ||
         (is_explicit && DCM_PixelData < element.tag);
}

/// Where the elements end that begin with `bytes`: at what is none, or at the end. One that breaks
/// off or whose length is undefined is left to the parser, with all that follows it.
std::size_t end_of_elements(Bytes bytes, const DcmXfer& syntax) {
  std::size_t at = 0;
  while (begins_element(bytes.subspan(at), syntax)) {
    const ElementHeader element = read_header(bytes.subspan(at), syntax);
    if (element.is_undefined || !fits(element, bytes.size() - at)) return bytes.size();
    at += element.header + element.length;
  }
  return at;
}

/// Names what the bytes are where they are all of a kind.
std::string describe(Bytes bytes) {
  const auto consists_of = [&](std::string_view kinds) {
    return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) {
      return kinds.find(std::to_integer<char>(b)) != std::string_view::npos;
    });
  };
  if (consists_of(std::string_view("\0", 1))) return " (zeros)";
  if (consists_of("\r\n")) return " (line ends)";
  if (consists_of(" ")) return " (spaces)";
  return {};
}

bool holds_another_file(Bytes bytes) {
  constexpr std::array magic{std::byte{'D'}, std::byte{'I'}, std::byte{'C'}, std::byte{'M'}};
  return std::search(bytes.begin(), bytes.end(), magic.begin(), magic.end()) != bytes.end();
}

}  // namespace

OFCondition load_dataset(Bytes bytes, DcmFileFormat& file, std::vector<std::string>& notes) {
  AfterPixelData after;
  OFCondition result = load_guarded(bytes, file, {}, &after);
  if (!after.begin || file.getDataset()->tagExists(DCM_PixelData) != OFTrue) return result;
  const DcmXfer syntax(file.getDataset()->getOriginalXfer());
  const std::size_t end = *after.begin + end_of_elements(bytes.subspan(*after.begin), syntax);
  if (end < bytes.size()) {
    const Bytes rest = bytes.subspan(end);
    if (holds_another_file(rest)) {
      throw FieldError("dataset", "is followed by another DICOM file");
    }
    result = load_guarded(bytes.first(end), file, {}, &after);
    notes.push_back(fmt::format("{} byte{} after the dataset{} {} ignored", rest.size(),
                                rest.size() == 1 ? "" : "s", describe(rest),
                                rest.size() == 1 ? "is" : "are"));
  }
  if (after.second_image) {
    throw FieldError("dataset", "is followed by a second one, with an image of its own");
  }
  if (after.misplaced_elements) {
    notes.emplace_back("elements follow PixelData that belong before it");
  }
  return result;
}

}  // namespace mpbench::dicom
