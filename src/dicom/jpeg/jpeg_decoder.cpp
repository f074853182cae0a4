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
#include <string_view>

#include "../end_marker.hpp"
#include "jpeg_header.hpp"
#include "jpeg_log.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

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

/// Finds padding in a stream: zero bytes before a marker, which some encoders add to fill a word.
/// Data left over by a decoder that lost its way hardly ever are zeros.
class PaddingSearch {
 public:
  explicit PaddingSearch(Bytes encoded) : encoded_(encoded) {}

  /// Whether this many zeros come before such a marker. Goes on behind the last that it found.
  bool finds(unsigned marker, std::size_t count) {
    for (next_ = std::max(next_, count); next_ + 1 < encoded_.size();) {
      const std::size_t at = next_++;
      if (encoded_[at] == std::byte{0xFF} && encoded_[at + 1] == std::byte(marker) &&
          are_zeros(encoded_.subspan(at - count, count))) {
        return true;
      }
    }
    return false;
  }

 private:
  static bool are_zeros(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
  }

  Bytes encoded_;
  std::size_t next_ = 0;
};

/// What libjpeg warned of while it decoded one frame, sorted into damage and oddities.
class Warnings {
 public:
  explicit Warnings(Bytes encoded) : padding_(encoded) {}

  const std::string& damage() const { return damage_; }  ///< the first; empty when there is none
  /// The first oddity, and how many there were; empty when there was none.
  std::string oddity() const {
    if (oddities_ < 2) return oddity_;
    return fmt::format("{} (the first of {} such oddities)", oddity_, oddities_);
  }

  void add(const std::string& message) {
    if (!damage_.empty()) return;
    constexpr std::string_view prefix = "Corrupt JPEG data: ";
    const std::string text = message.starts_with(prefix) ? message.substr(prefix.size()) : message;
    if (!is_harmless(text) || oddities_ == most_oddities) {
      damage_ = text.empty() ? "the decoder warns" : text;
    } else if (++oddities_ == 1) {
      oddity_ = text;
    }
  }

 private:
  static constexpr unsigned most_padding = 16;
  static constexpr std::size_t most_oddities = 65536;  // each takes some microseconds

  /// The texts are those of libjpeg's jerror.h.
  bool is_harmless(const std::string& message) {
    unsigned count = 0;
    unsigned marker = 0;
    if (std::sscanf(message.c_str(), "%u extraneous bytes before marker 0x%x", &count, &marker) ==
        2) {
      return count <= most_padding && padding_.finds(marker, count);
    }
    return message.starts_with("Warning: unknown JFIF revision") ||
           message.starts_with("Unknown Adobe color transform") ||
           message.starts_with("Invalid SOS parameters for sequential JPEG");
  }

  PaddingSearch padding_;
  std::string damage_;
  std::string oddity_;
  std::size_t oddities_ = 0;
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

template <typename Decoder>
OFCondition run(Bytes encoded, bool add_end, std::span<std::byte> out, Warnings& warnings) {
  // Colour stays as it is stored: this program converts nothing behind the reader's back.
  static const DJCodecParameter parameter(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
  WatchedDecoder<Decoder> decoder(parameter, warnings);
  const auto decode = [&](Bytes bytes) {
    // DCMTK only reads from the buffer, and asks for the sign to convert colour alone.
    return decoder.decode(reinterpret_cast<Uint8*>(const_cast<std::byte*>(bytes.data())),
                          static_cast<Uint32>(bytes.size()), reinterpret_cast<Uint8*>(out.data()),
                          static_cast<Uint32>(out.size()), OFFalse);
  };
  OFCondition result = decoder.init();
  if (result.good()) result = decode(encoded);
  constexpr std::array<std::byte, 2> end_marker{std::byte{0xFF}, std::byte{0xD9}};
  if (result == EJ_Suspension && add_end) result = decode(end_marker);
  return result;
}

/// EJ_Suspension where the stream does not come to an end marker, unless one is added.
OFCondition run(int precision, Bytes encoded, bool add_end, std::span<std::byte> out,
                Warnings& warnings) {
  if (precision <= 8) return run<DJDecompressIJG8Bit>(encoded, add_end, out, warnings);
  if (precision <= 12) return run<DJDecompressIJG12Bit>(encoded, add_end, out, warnings);
  return run<DJDecompressIJG16Bit>(encoded, add_end, out, warnings);
}

/// Leaves the zero that is stuffed after FF (ITU-T T.81 B.1.1.5).
Bytes without_padding(Bytes bytes) {
  std::size_t end = bytes.size();
  while (end > 0 && bytes[end - 1] == std::byte{0}) --end;
  const bool is_stuffed = end > 0 && end < bytes.size() && bytes[end - 1] == std::byte{0xFF};
  return bytes.first(is_stuffed ? end + 1 : end);
}

}  // namespace

void decode_jpeg(Bytes encoded, const PixelFormat& format, std::span<std::byte> out,
                 std::vector<std::string>& notes) {
  const JpegHeader header = read_jpeg_header(encoded);
  check_header(header, format);
  if (encoded.size() > 0xFFFFFFFF) throw FieldError("PixelData", "the JPEG stream is over 4 GiB");
  Warnings warnings(encoded);
  OFCondition result = run(header.precision, encoded, false, out, warnings);
  const bool has_no_end = result == EJ_Suspension;
  if (has_no_end) {
    // With an end marker the decoder says whether any value is missing. Zeros may be padding: they
    // must not pass for values.
    const Bytes data = without_padding(encoded);
    warnings = Warnings(data);
    result = run(header.precision, data, true, out, warnings);
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
  check_scans(encoded);
  if (has_no_end) {
    notes.emplace_back("the JPEG stream has no end marker; all of its values are there");
  }
  if (!warnings.oddity().empty()) {
    notes.push_back("the JPEG stream is odd: " + warnings.oddity());
  }
}

}  // namespace mpbench::dicom
