#include "jpeg_decoder.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <dcmtk/dcmjpeg/djutils.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

#include "end_marker.hpp"
#include "jpeg_header.hpp"
#include "jpeg_log.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

constexpr unsigned end_of_image = 0xD9;

void check_header(const JpegHeader& header, const PixelFormat& format) {
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

/// Whether some marker, or the end of a stream without an end marker, has this many zero bytes
/// before it: padding, which some encoders add to fill a word. Data left over by a decoder that
/// lost its way hardly ever are zeros.
bool has_zeros_before(Bytes encoded, unsigned marker, std::size_t count) {
  for (std::size_t at = count; at <= encoded.size(); ++at) {
    const bool is_here = at + 1 < encoded.size() ? encoded[at] == std::byte{0xFF} &&
                                                       encoded[at + 1] == std::byte(marker)
                                                 : at == encoded.size() && marker == end_of_image;
    if (!is_here) continue;
    const Bytes before = encoded.subspan(at - count, count);
    if (std::all_of(before.begin(), before.end(), [](std::byte b) { return b == std::byte{0}; })) {
      return true;
    }
  }
  return false;
}

/// What libjpeg warned of while it decoded one frame, sorted into damage and oddities.
class Warnings {
 public:
  explicit Warnings(Bytes encoded) : encoded_(encoded) {}

  const std::string& damage() const { return damage_; }  ///< the first; empty when there is none
  const std::vector<std::string>& oddities() const { return oddities_; }

  /// The stream has no end marker: most of its zeros may be what became of the rest.
  void expect_no_end() { most_padding_ = 2; }

  void add(const std::string& message) {
    if (!damage_.empty()) return;
    constexpr std::string_view prefix = "Corrupt JPEG data: ";
    const std::string text = message.starts_with(prefix) ? message.substr(prefix.size()) : message;
    if (is_harmless(text) && oddities_.size() < most_oddities) {
      oddities_.push_back(text);
    } else {
      damage_ = text.empty() ? "the decoder warns" : text;
    }
  }

 private:
  static constexpr std::size_t most_oddities = 64;

  /// The texts are those of libjpeg's jerror.h.
  bool is_harmless(const std::string& message) const {
    unsigned count = 0;
    unsigned marker = 0;
    if (std::sscanf(message.c_str(), "%u extraneous bytes before marker 0x%x", &count, &marker) ==
        2) {
      return count <= most_padding_ && has_zeros_before(encoded_, marker, count);
    }
    return message.starts_with("Warning: unknown JFIF revision") ||
           message.starts_with("Unknown Adobe color transform") ||
           message.starts_with("Invalid SOS parameters for sequential JPEG");
  }

  Bytes encoded_;
  unsigned most_padding_ = 16;
  std::string damage_;
  std::vector<std::string> oddities_;
};

/// One of DCMTK's decoders that hands on what libjpeg warns of.
template <typename Decoder>
class WatchedDecoder final : public Decoder {
 public:
  WatchedDecoder(const DJCodecParameter& parameter, Warnings& warnings)
      : Decoder(parameter, OFFalse), warnings_(warnings) {}

  /// A stream can be damaged a million times: after the first there is nothing to learn.
  void emitMessage(int level) const override {
    if (level >= 0 || !warnings_.damage().empty()) return;  // only warnings are below 0
    JpegLogListener listener;
    Decoder::emitMessage(level);  // formats the message and logs it
    warnings_.add(listener.take_line());
  }

 private:
  Warnings& warnings_;
};

std::unique_ptr<DJDecoder> make_decoder(int precision, Warnings& warnings) {
  // Colour stays as it is stored: this program converts nothing behind the reader's back.
  static const DJCodecParameter parameter(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
  if (precision <= 8) {
    return std::make_unique<WatchedDecoder<DJDecompressIJG8Bit>>(parameter, warnings);
  }
  if (precision <= 12) {
    return std::make_unique<WatchedDecoder<DJDecompressIJG12Bit>>(parameter, warnings);
  }
  return std::make_unique<WatchedDecoder<DJDecompressIJG16Bit>>(parameter, warnings);
}

}  // namespace

void decode_jpeg(Bytes encoded, const PixelFormat& format, std::span<std::byte> out,
                 std::vector<std::string>& notes) {
  const JpegHeader header = read_jpeg_header(encoded);
  check_header(header, format);
  if (encoded.size() > 0xFFFFFFFF) throw FieldError("PixelData", "the JPEG stream is over 4 GiB");
  Warnings warnings(encoded);
  const auto decoder = make_decoder(header.precision, warnings);
  const auto decode = [&](Bytes bytes) {
    // DCMTK only reads from the buffer.
    return decoder->decode(reinterpret_cast<Uint8*>(const_cast<std::byte*>(bytes.data())),
                           static_cast<Uint32>(bytes.size()), reinterpret_cast<Uint8*>(out.data()),
                           static_cast<Uint32>(out.size()), format.is_signed ? OFTrue : OFFalse);
  };
  OFCondition result = decoder->init();
  if (result.good()) result = decode(encoded);
  // The decoder waits for more data. With the end marker given to it, it says whether any value is
  // missing.
  const bool has_no_end = result == EJ_Suspension;
  constexpr std::array<std::byte, 2> end_marker{std::byte{0xFF}, std::byte(end_of_image)};
  if (has_no_end) {
    warnings.expect_no_end();
    result = decode(end_marker);
  }
  const char* hint =
      has_no_end || !has_end_marker(encoded) ? " (the end marker is missing: cut off?)" : "";
  if (!warnings.damage().empty()) {
    throw FieldError("PixelData",
                     fmt::format("the JPEG stream is damaged: {}{}", warnings.damage(), hint));
  }
  if (result.bad()) {
    throw FieldError("PixelData", fmt::format("cannot be decoded: {}{}", result.text(), hint));
  }
  if (has_no_end) {
    notes.emplace_back("the JPEG stream has no end marker; all of its values are there");
  }
  for (const std::string& oddity : warnings.oddities()) {
    notes.push_back("the JPEG stream is odd: " + oddity);
  }
}

}  // namespace mpbench::dicom
