#include "mpbench/dicom/jpeg2000_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "mpbench/core/error.hpp"
#include "openjpeg_memory.hpp"

namespace mpbench::dicom {
namespace {

/// Copies one channel into an OpenJPEG component, refusing values that its precision cannot hold.
template <typename Sample>
void copy_channel(const cv::Mat& pixels, int channel, std::int32_t low, std::int32_t high,
                  OPJ_INT32* out) {
  const int channels = pixels.channels();
  for (int row = 0; row < pixels.rows; ++row) {
    const Sample* line = pixels.ptr<Sample>(row);
    for (int column = 0; column < pixels.cols; ++column) {
      const std::int32_t value = line[column * channels + channel];
      if (value < low || value > high) {
        throw Error(fmt::format("JPEG 2000 encoder: value {} is outside {}..{}", value, low, high));
      }
      *out++ = value;
    }
  }
}

OpenJpegImage make_image(const cv::Mat& pixels, int bits_stored, bool is_signed) {
  const int channels = pixels.channels();
  std::array<opj_image_cmptparm_t, 3> parameters{};
  for (auto& component : parameters) {
    component.dx = component.dy = 1;
    component.w = static_cast<OPJ_UINT32>(pixels.cols);
    component.h = static_cast<OPJ_UINT32>(pixels.rows);
    component.prec = static_cast<OPJ_UINT32>(bits_stored);
    component.sgnd = is_signed ? 1 : 0;
  }
  OpenJpegImage image(opj_image_create(static_cast<OPJ_UINT32>(channels), parameters.data(),
                                       channels == 1 ? OPJ_CLRSPC_GRAY : OPJ_CLRSPC_SRGB));
  if (!image) throw Error("JPEG 2000 encoder: not enough memory for the image");
  image->x1 = static_cast<OPJ_UINT32>(pixels.cols);
  image->y1 = static_cast<OPJ_UINT32>(pixels.rows);
  const std::int32_t low = is_signed ? -(1 << (bits_stored - 1)) : 0;
  const std::int32_t high = low + (1 << bits_stored) - 1;
  for (int channel = 0; channel < channels; ++channel) {
    OPJ_INT32* out = image->comps[channel].data;
    switch (pixels.depth()) {
      case CV_8U:
        copy_channel<std::uint8_t>(pixels, channel, low, high, out);
        break;
      case CV_8S:
        copy_channel<std::int8_t>(pixels, channel, low, high, out);
        break;
      case CV_16U:
        copy_channel<std::uint16_t>(pixels, channel, low, high, out);
        break;
      default:
        copy_channel<std::int16_t>(pixels, channel, low, high, out);
        break;
    }
  }
  return image;
}

void check_arguments(const cv::Mat& pixels, int bits_stored) {
  const int depth = pixels.depth();
  const bool integers = depth == CV_8U || depth == CV_8S || depth == CV_16U || depth == CV_16S;
  if (pixels.dims != 2 || pixels.empty() || !integers ||
      (pixels.channels() != 1 && pixels.channels() != 3)) {
    throw Error("JPEG 2000 encoder: takes a matrix of 8-bit or 16-bit integers, 1 or 3 channels");
  }
  const int most = static_cast<int>(8 * pixels.elemSize1());
  if (bits_stored < 1 || bits_stored > most) {
    throw Error(
        fmt::format("JPEG 2000 encoder: {} bits stored in {}-bit integers", bits_stored, most));
  }
}

}  // namespace

std::vector<std::byte> encode_jpeg2000_lossless(const cv::Mat& pixels, int bits_stored,
                                                bool is_signed, bool wrap_in_jp2) {
  check_arguments(pixels, bits_stored);
  const OpenJpegImage image = make_image(pixels, bits_stored, is_signed);

  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.tcp_numlayers = 1;
  parameters.tcp_rates[0] = 0;  // no rate limit: with the reversible 5/3 filter this is lossless
  parameters.cp_disto_alloc = 1;
  parameters.irreversible = 0;
  parameters.tcp_mct = 0;  // no component transform: photometric interpretation stays what it was
  while (parameters.numresolution > 1 &&
         (1 << (parameters.numresolution - 1)) > std::min(pixels.cols, pixels.rows)) {
    --parameters.numresolution;
  }

  std::string errors;
  const OpenJpegCodec codec(opj_create_compress(wrap_in_jp2 ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  if (!codec) throw Error("JPEG 2000 encoder: OpenJPEG gave no encoder");
  collect_errors(codec.get(), errors);
  MemorySink sink;
  {
    const OpenJpegStream stream = open_sink(sink);
    if (!opj_setup_encoder(codec.get(), &parameters, image.get()) ||
        !opj_start_compress(codec.get(), image.get(), stream.get()) ||
        !opj_encode(codec.get(), stream.get()) || !opj_end_compress(codec.get(), stream.get())) {
      throw Error("JPEG 2000 encoder: " + (errors.empty() ? "OpenJPEG failed" : errors));
    }
  }
  return std::move(sink.bytes);
}

}  // namespace mpbench::dicom
