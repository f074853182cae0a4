#include "pixel_format.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <fmt/format.h>

#include <charconv>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::dicom {
namespace {

constexpr std::size_t largest_frame = 0xFFFFFFFE;  // DCMTK counts bytes in 32 bits

int required(DcmItem& dataset, const DcmTagKey& tag, const char* name) {
  Uint16 value = 0;
  if (dataset.findAndGetUint16(tag, value).bad()) {
    throw FieldError(name, dataset.tagExists(tag) ? "has no value that can be read" : "is missing");
  }
  return value;
}

std::string trimmed(const OFString& text) {
  const std::string all(text.c_str(), text.size());
  const auto begin = all.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return printable_text(
      all.substr(begin, all.find_last_not_of(std::string(" \t\0", 3)) - begin + 1));
}

int read_frames(DcmItem& dataset) {
  OFString value;
  if (dataset.findAndGetOFString(DCM_NumberOfFrames, value).bad()) return 1;
  const std::string text = trimmed(value);
  if (text.empty()) return 1;
  int frames = 0;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const auto [end, problem] = std::from_chars(begin, text.data() + text.size(), frames);
  if (problem != std::errc() || end != text.data() + text.size() || frames < 1) {
    throw FieldError("NumberOfFrames", fmt::format("'{}' is not a positive number", text));
  }
  return frames;
}

void check_bits(const PixelFormat& format) {
  if (format.bits_allocated != 8 && format.bits_allocated != 16) {
    throw FieldError("BitsAllocated",
                     fmt::format("{} bits a value: only 8 and 16 are read", format.bits_allocated));
  }
  if (format.bits_stored < 1 || format.bits_stored > format.bits_allocated) {
    throw FieldError("BitsStored", fmt::format("{} does not fit BitsAllocated {}",
                                               format.bits_stored, format.bits_allocated));
  }
  if (format.high_bit >= format.bits_allocated) {
    throw FieldError("HighBit", fmt::format("{} does not fit BitsAllocated {}", format.high_bit,
                                            format.bits_allocated));
  }
  if (format.high_bit != format.bits_stored - 1) {
    throw FieldError("HighBit",
                     fmt::format("{} with BitsStored {}: PS3.5 8.1.1 requires {}", format.high_bit,
                                 format.bits_stored, format.bits_stored - 1));
  }
}

}  // namespace

PixelFormat read_pixel_format(DcmItem& dataset) {
  PixelFormat format;
  format.rows = required(dataset, DCM_Rows, "Rows");
  format.columns = required(dataset, DCM_Columns, "Columns");
  if (format.rows == 0) throw FieldError("Rows", "is 0");
  if (format.columns == 0) throw FieldError("Columns", "is 0");
  format.frames = read_frames(dataset);
  format.samples = required(dataset, DCM_SamplesPerPixel, "SamplesPerPixel");
  if (format.samples != 1 && format.samples != 3) {
    throw FieldError("SamplesPerPixel",
                     fmt::format("is {}: only 1 and 3 are read", format.samples));
  }
  format.bits_allocated = required(dataset, DCM_BitsAllocated, "BitsAllocated");
  format.bits_stored = required(dataset, DCM_BitsStored, "BitsStored");
  Uint16 value = 0;
  format.high_bit =
      dataset.findAndGetUint16(DCM_HighBit, value).good() ? value : format.bits_stored - 1;
  check_bits(format);
  const int representation = required(dataset, DCM_PixelRepresentation, "PixelRepresentation");
  if (representation > 1) {
    throw FieldError("PixelRepresentation", fmt::format("is {}, not 0 or 1", representation));
  }
  format.is_signed = representation == 1;
  if (format.samples > 1 && dataset.findAndGetUint16(DCM_PlanarConfiguration, value).good()) {
    if (value > 1) {
      throw FieldError("PlanarConfiguration", fmt::format("is {}, not 0 or 1", value));
    }
    format.planar = value == 1;
  }
  OFString photometric;
  dataset.findAndGetOFString(DCM_PhotometricInterpretation, photometric);
  format.photometric = trimmed(photometric);
  if (format.photometric.empty()) throw FieldError("PhotometricInterpretation", "is missing");
  if (format.frame_bytes() >= largest_frame) {
    throw FieldError("Rows", fmt::format("{} x {} pixels of {} bits need over 4 GiB", format.rows,
                                         format.columns, format.bits_allocated));
  }
  return format;
}

}  // namespace mpbench::dicom
