#include "frame_decoder.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <fmt/format.h>

#include <cstring>
#include <opencv2/core.hpp>
#include <span>

#include "frame_fragments.hpp"
#include "jpeg/jpeg_decoder.hpp"
#include "jpeg2000/jpeg2000_codestream.hpp"
#include "jpeg2000/jpeg2000_decoder.hpp"
#include "rle_decoder.hpp"

namespace mpbench::dicom {
namespace {

/// Compares the length of uncompressed PixelData with what the format needs.
void check_native_length(DcmPixelData& pixel_data, const PixelFormat& format,
                         std::vector<std::string>& notes) {
  if (pixel_data.getLengthField() == DCM_UndefinedLength) {
    throw FieldError("PixelData", "is encapsulated, though the transfer syntax is uncompressed");
  }
  const std::size_t length = pixel_data.getLength();
  const std::size_t needed = format.frame_bytes() * static_cast<std::size_t>(format.frames);
  if (length < needed) {
    throw FieldError("PixelData", fmt::format("is {} bytes, {} frame(s) of {} x {} need {}", length,
                                              format.frames, format.rows, format.columns, needed));
  }
  if (length > needed + needed % 2) {
    notes.push_back(fmt::format("PixelData has {} bytes more than its frames", length - needed));
  }
}

void note_codestream(std::span<const std::byte> encoded, const PixelFormat& format,
                     std::vector<std::string>& notes) {
  const CodestreamHeader header = read_codestream_header(encoded);
  if (header.jp2_wrapped) notes.emplace_back("the codestream is wrapped in JP2 (PS3.5 A.4.4)");
  if (header.precision != format.bits_stored) {
    notes.push_back(fmt::format("the codestream has {} bits a value, BitsStored is {}",
                                header.precision, format.bits_stored));
  }
  if (header.is_signed != format.is_signed) {
    notes.push_back(fmt::format("the codestream is {}, PixelRepresentation is {}",
                                header.is_signed ? "signed" : "unsigned",
                                format.is_signed ? 1 : 0));
  }
}

/// Refuses a frame too short to hold what Rows and Columns promise, before memory is asked for it:
/// two RLE bytes give 128, two bits of JPEG a block of 64. An empty JPEG 2000 image is a few bytes
/// of any size, so that only ones far beyond a mammogram (about 32 million pixels) are held to a
/// ratio.
void check_plausible(std::size_t encoded_bytes, const PixelFormat& format, Coding coding) {
  constexpr std::size_t largest_ratio = 1024;
  constexpr std::size_t unquestioned = std::size_t{128} << 20;
  const bool questioned = coding != Coding::jpeg2000 || format.frame_bytes() > unquestioned;
  if (questioned && format.frame_bytes() / largest_ratio > encoded_bytes) {
    throw FieldError("PixelData", fmt::format("{} bytes cannot hold {} x {} pixels", encoded_bytes,
                                              format.rows, format.columns));
  }
}

template <typename Sample>
void interleave(std::span<const std::byte> planes, const PixelFormat& format, cv::Mat& out) {
  const auto pixels =
      static_cast<std::size_t>(format.rows) * static_cast<std::size_t>(format.columns);
  const auto samples = static_cast<std::size_t>(format.samples);
  auto* to = reinterpret_cast<Sample*>(out.data);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    for (std::size_t i = 0; i < pixels; ++i) {
      std::memcpy(&to[i * samples + sample], &planes[(sample * pixels + i) * sizeof(Sample)],
                  sizeof(Sample));
    }
  }
}

/// Returns whether any value changed.
template <typename Sample>
bool shift_out(cv::Mat& pixels, int unused) {
  auto* value = reinterpret_cast<Sample*>(pixels.data);
  const std::size_t count = pixels.total() * static_cast<std::size_t>(pixels.channels());
  Sample changes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto kept = static_cast<Sample>(static_cast<Sample>(value[i] << unused) >> unused);
    changes = static_cast<Sample>(changes | (kept ^ value[i]));
    value[i] = kept;
  }
  return changes != 0;
}

void copy_pixels(std::span<const std::byte> bytes, const PixelFormat& format, cv::Mat& pixels) {
  if (!format.planar) {
    std::memcpy(pixels.data, bytes.data(), format.frame_bytes());
  } else if (format.bits_allocated == 16) {
    interleave<std::uint16_t>(bytes, format, pixels);
  } else {
    interleave<std::uint8_t>(bytes, format, pixels);
  }
}

/// Drops the bits above BitsStored, whose content PS3.5 8.1.1 leaves open, and extends the sign.
void drop_unused_bits(cv::Mat& pixels, const PixelFormat& format, std::vector<std::string>& notes) {
  const int unused = format.bits_allocated - format.bits_stored;
  if (unused == 0) return;
  bool changed = false;
  switch (format.depth()) {
    case CV_8U:
      changed = shift_out<std::uint8_t>(pixels, unused);
      break;
    case CV_8S:
      changed = shift_out<std::int8_t>(pixels, unused);
      break;
    case CV_16U:
      changed = shift_out<std::uint16_t>(pixels, unused);
      break;
    default:
      changed = shift_out<std::int16_t>(pixels, unused);
      break;
  }
  if (changed) {
    notes.push_back(
        fmt::format("values had bits above BitsStored {}: they are dropped", format.bits_stored));
  }
}

/// Uncompressed stored values by DCMTK.
cv::Mat decode_native(DcmDataset& dataset, DcmPixelData& pixel_data, const PixelFormat& format,
                      int frame, std::vector<std::string>& notes) {
  check_native_length(pixel_data, format, notes);
  cv::Mat matrix(format.rows, format.columns, CV_MAKETYPE(format.depth(), format.samples));
  // DCMTK wants room for an even number of bytes: the matrix's own memory where that is enough.
  const bool in_place = format.frame_bytes() % 2 == 0 && !format.planar;
  std::vector<std::byte> apart(in_place ? 0 : format.frame_bytes() + format.frame_bytes() % 2);
  const std::span<std::byte> pixels =
      in_place ? std::span(reinterpret_cast<std::byte*>(matrix.data), format.frame_bytes())
               : std::span(apart);
  OFString color_model;
  Uint32 fragment = 0;
  const OFCondition decoded =
      pixel_data.getUncompressedFrame(&dataset, static_cast<Uint32>(frame), fragment, pixels.data(),
                                      static_cast<Uint32>(pixels.size()), color_model);
  if (decoded.bad()) {
    throw FieldError("PixelData", fmt::format("cannot be decoded: {}", decoded.text()));
  }
  if (!in_place) copy_pixels(pixels, format, matrix);
  drop_unused_bits(matrix, format, notes);
  return matrix;
}

DcmPixelSequence& encapsulated(DcmPixelData& pixel_data, const DcmXfer& syntax) {
  DcmPixelSequence* sequence = nullptr;
  if (pixel_data.getEncapsulatedRepresentation(syntax.getXfer(), nullptr, sequence).bad() ||
      sequence == nullptr) {
    throw FieldError("PixelData", "is not encapsulated, although the transfer syntax is");
  }
  return *sequence;
}

}  // namespace

Coding coding_of(const DcmXfer& syntax) {
  switch (syntax.getXfer()) {
    case EXS_LittleEndianImplicit:
    case EXS_LittleEndianExplicit:
    case EXS_BigEndianExplicit:
    case EXS_DeflatedLittleEndianExplicit:
      return Coding::native;
    case EXS_RLELossless:
      return Coding::rle;
    case EXS_JPEGProcess1:
    case EXS_JPEGProcess2_4:
    case EXS_JPEGProcess6_8:
    case EXS_JPEGProcess10_12:
    case EXS_JPEGProcess14:
    case EXS_JPEGProcess14SV1:
      return Coding::jpeg;
    case EXS_JPEG2000LosslessOnly:
    case EXS_JPEG2000:
      return Coding::jpeg2000;
    default:
      throw FieldError("TransferSyntaxUID", fmt::format("{} ({}) is not read by this program",
                                                        syntax.getXferID(), syntax.getXferName()));
  }
}

void check_photometric(const PixelFormat& format, Coding coding) {
  const std::string& name = format.photometric;
  const bool one_sample = name == "MONOCHROME1" || name == "MONOCHROME2" || name == "PALETTE COLOR";
  const bool three_samples =
      name == "RGB" || name == "YBR_FULL" || (name == "YBR_FULL_422" && coding == Coding::jpeg) ||
      ((name == "YBR_RCT" || name == "YBR_ICT") && coding == Coding::jpeg2000);
  if (!one_sample && !three_samples) {
    throw FieldError("PhotometricInterpretation",
                     fmt::format("{} is not read in this transfer syntax", name));
  }
  if (one_sample != (format.samples == 1)) {
    throw FieldError("SamplesPerPixel", fmt::format("is {} with {}", format.samples, name));
  }
}

EncodedFrame encoded_frame(DcmPixelData& pixel_data, const DcmXfer& syntax,
                           const PixelFormat& format, int frame) {
  DcmPixelSequence& sequence = encapsulated(pixel_data, syntax);
  return read_fragments(sequence, find_fragments(sequence, frame, format.frames));
}

cv::Mat decode_frame(DcmDataset& dataset, DcmPixelData& pixel_data, const DcmXfer& syntax,
                     Coding coding, PixelFormat& format, int frame, const DecodeOptions& options,
                     std::vector<std::string>& notes) {
  if (coding == Coding::native) {
    return decode_native(dataset, pixel_data, format, frame, notes);
  }
  const EncodedFrame fragments = encoded_frame(pixel_data, syntax, format, frame);
  const std::span<const std::byte> encoded = fragments.bytes;
  check_plausible(encoded.size(), format, coding);
  format.planar = false;
  if (coding == Coding::jpeg2000) {
    note_codestream(encoded, format, notes);
    cv::Mat pixels = decode_jpeg2000(encoded, format, options);
    if (format.photometric == "YBR_RCT" || format.photometric == "YBR_ICT") {
      format.photometric = "RGB";  // OpenJPEG undoes the component transform
    }
    return pixels;
  }
  cv::Mat pixels(format.rows, format.columns, CV_MAKETYPE(format.depth(), format.samples));
  const std::span out(reinterpret_cast<std::byte*>(pixels.data), format.frame_bytes());
  if (coding == Coding::rle) {
    decode_rle(encoded, format, out, notes);
  } else {
    decode_jpeg(encoded, format, out, notes);
  }
  drop_unused_bits(pixels, format, notes);
  return pixels;
}

}  // namespace mpbench::dicom
