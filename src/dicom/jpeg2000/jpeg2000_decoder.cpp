#include "jpeg2000_decoder.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "../end_marker.hpp"
#include "jpeg2000_codestream.hpp"
#include "jpeg2000_structure.hpp"
#include "jpeg2000_watched.hpp"
#include "openjpeg_memory.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

void check_against_dataset(const CodestreamHeader& header, const PixelFormat& format) {
  if (header.width != static_cast<std::uint32_t>(format.columns) ||
      header.height != static_cast<std::uint32_t>(format.rows)) {
    refuse_codestream(
        fmt::format("the codestream is {} x {} (rows x columns), the dataset says {} x {}",
                    header.height, header.width, format.rows, format.columns));
  }
  if (header.components != format.samples) {
    refuse_codestream(fmt::format("the codestream has {} components, SamplesPerPixel is {}",
                                  header.components, format.samples));
  }
  if (header.precision > format.bits_allocated) {
    refuse_codestream(fmt::format("the codestream has {} bits a value, BitsAllocated is {}",
                                  header.precision, format.bits_allocated));
  }
}

/// `area` in the reference grid; empty: all of the image.
OpenJpegImage run_openjpeg(Bytes codestream, int reduction, const cv::Rect& area) {
  std::string errors;
  std::string damage;
  MemorySource source{codestream};
  const OpenJpegStream stream = open_source(source);
  const OpenJpegCodec codec(opj_create_decompress(OPJ_CODEC_J2K));
  if (!codec) throw std::bad_alloc();
  collect_errors(codec.get(), errors);
  collect_damage(codec.get(), damage);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  parameters.cp_reduce = static_cast<OPJ_UINT32>(reduction);
  opj_image_t* raw = nullptr;
  // Strict mode stays on (the default): a cut codestream must fail, not come back half empty.
  bool good = opj_setup_decoder(codec.get(), &parameters) &&
              opj_read_header(stream.get(), codec.get(), &raw);
  OpenJpegImage image(raw);
  good = good &&
         (area.empty() || opj_set_decode_area(codec.get(), image.get(), area.x, area.y,
                                              area.x + area.width, area.y + area.height)) &&
         opj_decode(codec.get(), stream.get(), image.get()) &&
         opj_end_decompress(codec.get(), stream.get());
  if (!good || !damage.empty()) {
    const std::string& problem = errors.empty() ? damage : errors;
    refuse_codestream(
        fmt::format("JPEG 2000: {}{}", problem.empty() ? "OpenJPEG could not decode it" : problem,
                    has_end_marker(codestream) ? "" : " (the end marker is missing: cut off?)"));
  }
  return image;
}

/// Throws FieldError for a tile that ends in zeros: each is an empty packet, but only as many as
/// there are packets.
void check_zeros(Bytes codestream, const CodestreamStructure& structure) {
  constexpr double most_padding = 64;
  for (const TilePart& part : structure.last_parts) {
    const std::size_t end =
        part.length == 0 ? end_marker_offset(codestream) : part.begin + part.length;
    std::size_t last = end;
    while (last > part.begin && codestream[last - 1] == std::byte{0}) --last;
    if (static_cast<double>(end - last) > structure.packets + most_padding) {
      refuse_codestream(fmt::format("a tile of the codestream ends in {} zeros", end - last));
    }
  }
}

/// Throws FieldError where packets are missing. Decodes as little as possible: every packet header
/// is read, and the code-blocks of the lowest resolution.
void check_packets(Bytes codestream, const CodestreamStructure& structure) {
  try {
    run_openjpeg(with_sentinels(codestream, structure), structure.fewest_levels, {});
  } catch (const FieldError& problem) {
    refuse_codestream(std::string("packets are missing or damaged: ") + problem.what());
  }
}

/// Takes each value's lowest bits with the dataset's sign; colour by pixel.
template <typename Sample>
void store(const opj_image_t& image, const CodestreamHeader& header, const PixelFormat& format,
           cv::Mat& out) {
  const std::size_t pixels = out.total();
  const auto samples = static_cast<std::size_t>(format.samples);
  const std::uint32_t mask = (std::uint32_t{1} << header.precision) - 1;
  // Subtracting the sign bit's weight twice where it is set, without a branch.
  const std::uint32_t sign_bit =
      format.is_signed ? std::uint32_t{1} << (header.precision - 1) : std::uint32_t{0};
  auto* to = reinterpret_cast<Sample*>(out.data);
  for (std::size_t component = 0; component < samples; ++component) {
    const OPJ_INT32* in = image.comps[component].data;
    const auto value = [&](std::size_t i) {
      const std::uint32_t bits = static_cast<std::uint32_t>(in[i]) & mask;
      return static_cast<Sample>((bits ^ sign_bit) - sign_bit);
    };
    if (samples == 1) {
      for (std::size_t i = 0; i < pixels; ++i) to[i] = value(i);
    } else {
      for (std::size_t i = 0; i < pixels; ++i) to[i * samples + component] = value(i);
    }
  }
}

/// Where a coordinate lies after `reduction` halvings (ISO/IEC 15444-1 B-15).
std::uint32_t reduced(std::uint64_t coordinate, int reduction) {
  return static_cast<std::uint32_t>((coordinate + (std::uint64_t{1} << reduction) - 1) >>
                                    reduction);
}

/// What is decoded, in the reference grid.
cv::Rect area_in_grid(const CodestreamHeader& header, const DecodeOptions& options) {
  constexpr std::uint64_t largest = 0x7FFFFFFF;  // OpenJPEG takes coordinates as int
  if (std::uint64_t{header.left} + header.width > largest ||
      std::uint64_t{header.top} + header.height > largest) {
    refuse_codestream(
        fmt::format("the codestream's image begins at {} x {}", header.top, header.left));
  }
  const cv::Rect frame(0, 0, static_cast<int>(header.width), static_cast<int>(header.height));
  const cv::Rect area = options.area.empty() ? frame : options.area;
  if ((area & frame) != area) refuse_codestream("the area to decode lies outside the frame");
  return area + cv::Point(static_cast<int>(header.left), static_cast<int>(header.top));
}

cv::Size size_after(const cv::Rect& area, int reduction) {
  const auto length = [&](int begin, int extent) {
    const auto first = static_cast<std::uint64_t>(begin);
    return static_cast<int>(reduced(first + static_cast<std::uint64_t>(extent), reduction) -
                            reduced(first, reduction));
  };
  return {length(area.x, area.width), length(area.y, area.height)};
}

int max_reduction_of(const CodestreamHeader& header, const CodestreamStructure& structure,
                     const PixelFormat& format) {
  // Of another sign than the dataset, values may wrap around within the image: -1 stands beside 0
  // as 4095. Means over both are neither.
  if (header.is_signed != format.is_signed || !structure.reaches_end) return 0;
  return structure.fewest_levels;
}

}  // namespace

int max_reduction(Bytes frame, const PixelFormat& format) {
  const CodestreamHeader header = read_codestream_header(frame);  // read_structure needs it checked
  return max_reduction_of(header, read_structure(find_codestream(frame)), format);
}

cv::Mat decode_jpeg2000(Bytes frame, const PixelFormat& format, const DecodeOptions& options) {
  const Bytes codestream = find_codestream(frame);
  const CodestreamHeader header = read_codestream_header(frame);
  check_against_dataset(header, format);
  const CodestreamStructure structure = read_structure(codestream);
  check_complexity(structure, codestream.size());
  if (options.reduction < 0 || options.reduction > max_reduction_of(header, structure, format)) {
    refuse_codestream(fmt::format("the codestream cannot be halved {} times", options.reduction));
  }
  const cv::Rect area = area_in_grid(header, options);
  const cv::Rect part = options.area.empty() ? cv::Rect() : area;
  const OpenJpegImage image =
      structure.reaches_end
          ? run_openjpeg(with_checked_blocks(codestream, structure), options.reduction, part)
          : run_openjpeg(codestream, options.reduction, part);
  if (structure.reaches_end) {
    check_zeros(codestream, structure);
    check_packets(codestream, structure);
  }
  // OpenJPEG, which has more to say of a codestream cut off, leaves a missing tile black.
  if (structure.incomplete_tiles > 0) {
    refuse_codestream(fmt::format("{} of the codestream's {} tiles are missing or incomplete",
                                  structure.incomplete_tiles, structure.tiles));
  }
  if (image->numcomps != static_cast<OPJ_UINT32>(format.samples)) {
    refuse_codestream("OpenJPEG gave another number of components than the header has");
  }
  const cv::Size size = size_after(area, options.reduction);
  for (OPJ_UINT32 i = 0; i < image->numcomps; ++i) {
    const opj_image_comp_t& component = image->comps[i];
    if (component.data == nullptr || component.w != static_cast<OPJ_UINT32>(size.width) ||
        component.h != static_cast<OPJ_UINT32>(size.height)) {
      refuse_codestream("OpenJPEG gave a component of another size than the header has");
    }
  }
  cv::Mat out(size, CV_MAKETYPE(format.depth(), format.samples));
  if (format.bits_allocated == 16) {
    store<std::uint16_t>(*image, header, format, out);
  } else {
    store<std::uint8_t>(*image, header, format, out);
  }
  return out;
}

}  // namespace mpbench::dicom
