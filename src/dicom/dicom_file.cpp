#include "mpbench/dicom/dicom_file.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <opencv2/core.hpp>

#include "frame_fragments.hpp"
#include "image_attributes.hpp"
#include "jpeg2000_decoder.hpp"
#include "jpeg_header.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/dicom/jpeg2000_codec.hpp"
#include "pixel_format.hpp"
#include "rle_decoder.hpp"

namespace mpbench::dicom {
namespace {

enum class Coding { native, rle, jpeg, jpeg2000 };

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

void load(const std::filesystem::path& path, DcmFileFormat& file, std::vector<std::string>& notes) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) throw FieldError("file", "is a folder");
  const auto bytes = std::filesystem::file_size(path, problem);
  if (problem) throw FieldError("file", problem.message());
  if (bytes == 0) throw FieldError("file", "is empty");
  const OFCondition loaded = file.loadFile(path.c_str());
  OFString uid;
  const bool has_meta =
      file.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, uid).good() && !uid.empty();
  if (has_meta && DcmXfer(uid.c_str()).getXfer() == EXS_Unknown) {
    throw FieldError("TransferSyntaxUID", fmt::format("{} is not known", uid.c_str()));
  }
  if (loaded.bad()) {
    DcmDataset& dataset = *file.getDataset();
    const bool has_pixels = dataset.tagExists(DCM_PixelData);
    if (dataset.card() == 0 || (!has_meta && !has_pixels)) {
      throw FieldError("file", fmt::format("is not DICOM ({})", loaded.text()));
    }
    // PixelData comes nearly last: once it has begun, it is what the file breaks off in.
    throw FieldError(has_pixels ? "PixelData" : "dataset",
                     fmt::format("cannot be read to its end: {}", loaded.text()));
  }
  if (!has_meta) notes.emplace_back("no transfer syntax in a meta header: it was guessed");
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

DcmPixelData& find_pixel_data(DcmDataset& dataset) {
  DcmElement* element = nullptr;
  dataset.findAndGetElement(DCM_PixelData, element);
  auto* pixel_data = dynamic_cast<DcmPixelData*>(element);
  if (pixel_data == nullptr) throw FieldError("PixelData", "is missing: not a DICOM image");
  return *pixel_data;
}

/// Compares the length of uncompressed PixelData with what the format needs.
void check_native_length(DcmPixelData& pixel_data, const PixelFormat& format,
                         std::vector<std::string>& notes) {
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

void check_jpeg(std::span<const std::byte> encoded, const PixelFormat& format) {
  const JpegHeader header = read_jpeg_header(encoded);
  if (header.height != format.rows || header.width != format.columns ||
      header.components != format.samples) {
    throw FieldError(
        "PixelData",
        fmt::format("the JPEG stream is {} x {} x {}, the dataset says {} x {} x {}", header.height,
                    header.width, header.components, format.rows, format.columns, format.samples));
  }
  if ((header.precision > 8) != (format.bits_allocated == 16)) {
    throw FieldError("PixelData",
                     fmt::format("the JPEG stream has {} bits a value, BitsAllocated is {}",
                                 header.precision, format.bits_allocated));
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

/// The frame's bytes in native byte order; colour by plane only where `format.planar` says so.
std::vector<std::byte> decode_frame(DcmDataset& dataset, DcmPixelData& pixel_data,
                                    const DcmXfer& syntax, Coding coding, PixelFormat& format,
                                    int frame, std::vector<std::string>& notes) {
  Uint32 start_fragment = 0;
  if (coding == Coding::native) {
    check_native_length(pixel_data, format, notes);
  } else {
    DcmPixelSequence* sequence = nullptr;
    if (pixel_data.getEncapsulatedRepresentation(syntax.getXfer(), nullptr, sequence).bad() ||
        sequence == nullptr) {
      throw FieldError("PixelData", "is not encapsulated, though the transfer syntax says so");
    }
    const FrameFragments fragments = find_fragments(*sequence, frame, format.frames);
    start_fragment = static_cast<Uint32>(fragments.first);
    const auto encoded = join_fragments(*sequence, fragments);
    check_plausible(encoded.size(), format, coding);
    if (coding == Coding::jpeg2000) note_codestream(encoded, format, notes);
    if (coding == Coding::jpeg) check_jpeg(encoded, format);
    format.planar = false;
    if (coding == Coding::rle) {
      std::vector<std::byte> pixels(format.frame_bytes());
      decode_rle(encoded, format, pixels);
      return pixels;
    }
  }
  std::vector<std::byte> pixels(format.frame_bytes() + format.frame_bytes() % 2);
  OFString color_model;
  const OFCondition decoded = pixel_data.getUncompressedFrame(
      &dataset, static_cast<Uint32>(frame), start_fragment, pixels.data(),
      static_cast<Uint32>(pixels.size()), color_model);
  if (decoded.bad()) {
    throw FieldError("PixelData",
                     fmt::format("{}{}", coding == Coding::jpeg2000 ? "" : "cannot be decoded: ",
                                 decoded.text()));
  }
  if (coding == Coding::jpeg2000) format.photometric = color_model.c_str();
  return pixels;
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

/// Drops the bits above BitsStored, whose content PS3.5 8.1.1 leaves open, and extends the sign.
template <typename Sample>
void drop_unused_bits(cv::Mat& pixels, int unused) {
  auto* value = reinterpret_cast<Sample*>(pixels.data);
  const std::size_t count = pixels.total() * static_cast<std::size_t>(pixels.channels());
  for (std::size_t i = 0; i < count; ++i) {
    value[i] = static_cast<Sample>(static_cast<Sample>(value[i] << unused) >> unused);
  }
}

cv::Mat to_matrix(std::span<const std::byte> bytes, const PixelFormat& format, bool keep_bits) {
  const bool wide = format.bits_allocated == 16;
  const int depth =
      wide ? (format.is_signed ? CV_16S : CV_16U) : (format.is_signed ? CV_8S : CV_8U);
  cv::Mat pixels(format.rows, format.columns, CV_MAKETYPE(depth, format.samples));
  if (format.planar && wide) {
    interleave<std::uint16_t>(bytes, format, pixels);
  } else if (format.planar) {
    interleave<std::uint8_t>(bytes, format, pixels);
  } else {
    std::memcpy(pixels.data, bytes.data(), format.frame_bytes());
  }
  const int unused = format.bits_allocated - format.bits_stored;
  if (unused > 0 && !keep_bits) {
    switch (depth) {
      case CV_8U:
        drop_unused_bits<std::uint8_t>(pixels, unused);
        break;
      case CV_8S:
        drop_unused_bits<std::int8_t>(pixels, unused);
        break;
      case CV_16U:
        drop_unused_bits<std::uint16_t>(pixels, unused);
        break;
      default:
        drop_unused_bits<std::int16_t>(pixels, unused);
        break;
    }
  }
  return pixels;
}

void note_values(const StoredImage& image, std::vector<std::string>& notes) {
  double low = 0;
  double high = 0;
  cv::minMaxLoc(image.pixels.reshape(1), &low, &high);
  const ImageAttributes& attributes = image.attributes;
  const double most = (1 << (attributes.bits_stored - (attributes.is_signed ? 1 : 0))) - 1;
  if (high > most) {
    notes.push_back(
        fmt::format("values up to {} exceed BitsStored {}", high, attributes.bits_stored));
  }
  if (low == high) notes.push_back(fmt::format("every value is {}", low));
}

}  // namespace

StoredImage read_stored(const std::filesystem::path& path, int frame) {
  register_codecs();
  StoredImage image;
  image.path = path;
  try {
    DcmFileFormat file;
    load(path, file, image.notes);
    DcmDataset& dataset = *file.getDataset();
    DcmPixelData& pixel_data = find_pixel_data(dataset);
    const DcmXfer syntax(dataset.getOriginalXfer());
    const Coding coding = coding_of(syntax);
    PixelFormat format = read_pixel_format(dataset);
    check_photometric(format, coding);
    if (frame < 0 || frame >= format.frames) {
      throw FieldError("NumberOfFrames",
                       fmt::format("is {}: there is no frame {}", format.frames, frame));
    }
    const auto pixels =
        decode_frame(dataset, pixel_data, syntax, coding, format, frame, image.notes);
    image.attributes = read_attributes(dataset, format, frame, image.notes);
    image.attributes.transfer_syntax = syntax.getXferID();
    image.pixels = to_matrix(pixels, format, coding == Coding::jpeg2000);
    note_values(image, image.notes);
  } catch (const FieldError& problem) {
    throw InputError(path, problem.field(), problem.what());
  } catch (const std::bad_alloc&) {
    throw InputError(path, "PixelData", "needs more memory than there is");
  } catch (const cv::Exception& problem) {
    throw InputError(path, "PixelData", problem.err);
  }
  return image;
}

}  // namespace mpbench::dicom
