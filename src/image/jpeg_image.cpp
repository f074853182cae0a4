#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <optional>
// jpeglib.h uses FILE and size_t without including them.
#include <jerror.h>
#include <jpeglib.h>

#include "image_formats.hpp"
#include "mpbench/image/image_file.hpp"
#include "mpbench/io/endian.hpp"
#include "mpbench/io/jpeg_markers.hpp"

// libjpeg itself, not through OpenCV, which lets it write its warnings to stderr and then returns
// half an image as if it were whole.
namespace mpbench::image {
namespace {

// Every 8 x 8 block of the luminance takes at least one bit.
constexpr std::uint64_t max_pixels_a_byte = 8 * 64;
// A progressive image of three components can have 190 that all add something; usual are 10.
constexpr int most_scans = 200;
constexpr std::size_t most_jpeg_notes = 4;

/// What libjpeg's callbacks work on; `manager` is first, so that a pointer to it is one to all.
struct Reading {
  jpeg_error_mgr manager;
  jpeg_progress_mgr progress;
  jmp_buf jump;
  std::string* error;
  std::vector<std::string>* notes;
  bool in_pixels;
};

Reading& reading_of(j_common_ptr codec) { return *reinterpret_cast<Reading*>(codec->err); }

std::string message_of(j_common_ptr codec) {
  std::array<char, JMSG_LENGTH_MAX> text{};
  codec->err->format_message(codec, text.data());
  return text.data();
}

[[noreturn]] void on_error(j_common_ptr codec) {
  Reading& reading = reading_of(codec);
  *reading.error = message_of(codec);
  std::longjmp(reading.jump, 1);  // NOLINT(cert-err52-cpp): libjpeg's way
}

/// Warnings (level -1) about pixels are errors: libjpeg would go on and fill in grey.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;  // a trace
  Reading& reading = reading_of(codec);
  const int code = codec->err->msg_code;
  const bool harmless = code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
                        (code == JWRN_EXTRANEOUS_DATA && !reading.in_pixels);
  if (!harmless) on_error(codec);
  if (reading.notes->size() < most_jpeg_notes)
    reading.notes->push_back("JPEG: " + message_of(codec));
}

void on_progress(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= most_scans) return;
  *reading_of(codec).error = fmt::format("it has more than {} scans", most_scans);
  std::longjmp(reading_of(codec).jump, 1);  // NOLINT(cert-err52-cpp)
}

class JpegReader {
 public:
  JpegReader(const EncodedImage& file, std::vector<std::string>& notes) {
    reading_.error = &error_;
    reading_.notes = &notes;
    reading_.in_pixels = false;
    codec_.err = jpeg_std_error(&reading_.manager);
    reading_.manager.error_exit = on_error;
    reading_.manager.emit_message = on_message;
    if (!begin(file.bytes)) {
      jpeg_destroy_decompress(&codec_);
      file.fail("JPEG", error_);
    }
  }
  ~JpegReader() { jpeg_destroy_decompress(&codec_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // libjpeg leaves these two by longjmp: nothing in them has a destructor.
  bool read_header() {
    if (setjmp(reading_.jump) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_read_header(&codec_, TRUE);
    reading_.in_pixels = true;
    if (codec_.num_components == 1) {
      codec_.out_color_space = JCS_GRAYSCALE;
    } else if (codec_.num_components == 4) {
      codec_.out_color_space = JCS_CMYK;
    } else {
      codec_.out_color_space = JCS_RGB;
    }
    return true;
  }
  bool read_pixels(std::uint8_t* to, std::size_t row_bytes) {
    if (setjmp(reading_.jump) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_start_decompress(&codec_);
    while (codec_.output_scanline < codec_.output_height) {
      JSAMPROW row = to + codec_.output_scanline * row_bytes;
      jpeg_read_scanlines(&codec_, &row, 1);
    }
    jpeg_finish_decompress(&codec_);
    return true;
  }

  const jpeg_decompress_struct& codec() const { return codec_; }
  const std::string& error() const { return error_; }

 private:
  bool begin(std::span<const std::byte> bytes) {
    if (setjmp(reading_.jump) != 0) return false;  // NOLINT(cert-err52-cpp)
    jpeg_create_decompress(&codec_);
    reading_.progress = {};
    reading_.progress.progress_monitor = on_progress;
    codec_.progress = &reading_.progress;
    jpeg_mem_src(&codec_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return true;
  }

  Reading reading_{};
  jpeg_decompress_struct codec_{};
  std::string error_;
};

/// Adobe's programs store CMYK inverted, and nobody else stores it: light = ink's absence times
/// black's.
cv::Mat cmyk_to_rgb(const cv::Mat& cmyk) {
  cv::Mat rgb(cmyk.size(), CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const auto* from = cmyk.ptr<cv::Vec4b>(y);
    auto* to = rgb.ptr<cv::Vec3b>(y);
    for (int x = 0; x < cmyk.cols; ++x) {
      for (int c = 0; c < 3; ++c) {
        to[x][c] = static_cast<std::uint8_t>((from[x][c] * from[x][3] + 127) / 255);
      }
    }
  }
  return rgb;
}

/// An APP1 segment is EXIF, XMP or something else.
void look_for_orientation(std::span<const std::byte> segment, std::optional<int>& exif,
                          std::optional<int>& xmp) {
  constexpr std::string_view exif_prefix("Exif\0\0", 6);
  constexpr std::string_view xmp_prefix("http://ns.adobe.com/xap/1.0/\0", 29);
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  if (!exif && text.starts_with(exif_prefix)) exif = exif_orientation(segment);
  if (!xmp && text.starts_with(xmp_prefix)) xmp = xmp_orientation(text.substr(xmp_prefix.size()));
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) { return jpeg::begins_stream(bytes); }

EncodedHeader read_jpeg_header(const EncodedImage& file) {
  const auto& bytes = file.bytes;
  EncodedHeader header;
  bool has_frame = false;
  std::optional<int> exif;
  std::optional<int> xmp;
  std::size_t at = 2;
  while (true) {
    while (at < bytes.size() && bytes[at] != std::byte{0xFF}) ++at;  // as libjpeg does
    while (at < bytes.size() && bytes[at] == std::byte{0xFF}) ++at;
    if (at >= bytes.size()) file.fail("markers", "the file ends before its image begins");
    const auto marker = big_endian(bytes, at++, 1);
    const bool stands_alone =
        marker <= 0x01 || jpeg::is_restart(marker) || marker == jpeg::start_of_image;
    if (stands_alone) continue;
    if (marker == jpeg::start_of_scan || marker == jpeg::end_of_image) break;
    const std::size_t length = bytes.size() - at < 2 ? 0 : big_endian(bytes, at, 2);
    if (length < 2 || length > bytes.size() - at) {
      file.fail("markers",
                fmt::format("the segment {:#06x} ends outside of the file", 0xFF00 + marker));
    }
    const auto segment = bytes.subspan(at + 2, length - 2);
    at += length;
    if (jpeg::is_frame_header(marker) && !has_frame) {
      if (segment.size() < 6) file.fail("SOF", "it is too short");
      const auto height = big_endian(segment, 1, 2);
      const auto width = big_endian(segment, 3, 2);
      require_sides(file, "SOF", height, width);
      if (std::uint64_t{height} * width / max_pixels_a_byte > bytes.size()) {
        file.fail("SOF", fmt::format("it claims {} x {} pixels, which {} bytes cannot hold", width,
                                     height, bytes.size()));
      }
      header.height = static_cast<int>(height);
      header.width = static_cast<int>(width);
      header.grey = big_endian(segment, 5, 1) == 1;
      has_frame = true;
    }
    if (marker == jpeg::app1) look_for_orientation(segment, exif, xmp);
  }
  if (!has_frame) file.fail("SOF", "there is none: the image has no size");
  header.orientation = exif.value_or(xmp.value_or(1));
  return header;
}

cv::Mat decode_jpeg(const EncodedImage& file, std::vector<std::string>& notes) {
  JpegReader reader(file, notes);
  if (!reader.read_header()) file.fail("JPEG", reader.error());
  const auto& codec = reader.codec();
  const int components = codec.num_components;
  if (components != 1 && components != 3 && components != 4) {
    file.fail("SOF", fmt::format("{} components: neither grey nor in colour", components));
  }
  // A second frame header may say something else than the one that was checked.
  require_sides(file, "SOF", codec.image_height, codec.image_width);
  cv::Mat pixels(static_cast<int>(codec.image_height), static_cast<int>(codec.image_width),
                 CV_8UC(components));
  if (!reader.read_pixels(pixels.ptr(), pixels.step)) file.fail("JPEG", reader.error());
  if (components != 4) return pixels;
  notes.emplace_back("CMYK, shown as RGB without its colour profile");
  return cmyk_to_rgb(pixels);
}

}  // namespace mpbench::image
