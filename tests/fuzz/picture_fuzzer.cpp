// An image file, its format told by its first bytes: what its header says, and all that
// preprocessing and the contact sheet do to it.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <opencv2/core.hpp>

#include "memory_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/image_file.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::stated;
namespace image = mpbench::image;

// A few bytes may be an empty image of any size: its cost is known, and finds nothing.
constexpr std::int64_t most_pixels = std::int64_t{1} << 18;

bool is_side(int pixels) { return pixels >= 1 && pixels <= image::largest_image_side; }

void prepare(const std::filesystem::path& path, const image::ImageShape& shape, int height,
             int width, int channels) {
  const auto [pixels, preparation] = image::prepare_image(path, height, width, channels);
  stated(pixels.size() == cv::Size(width, height) && pixels.type() == CV_32FC(channels));
  stated(cv::checkRange(pixels, true, nullptr, 0.0, 1.0 + 1e-6));
  stated(preparation.crop.tl() == cv::Point(0, 0));
  stated(std::int64_t{preparation.crop.area()} == std::int64_t{shape.height} * shape.width);
  stated(preparation.notes.size() <= 16);
}

/// Makes the checksum of each of a PNG's chunks right.
void mend_png(std::span<std::uint8_t> bytes) {
  constexpr std::size_t signature_bytes = 8;
  for (std::size_t at = signature_bytes; at + 12 <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | bytes[at + i];
    if (length > bytes.size() - at - 12) return;
    const auto sum = crc32(0, bytes.data() + at + 4, static_cast<unsigned>(length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at + 8 + length + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    }
    at += length + 12;
  }
}

}  // namespace

// libFuzzer's; not there where the corpus is replayed.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t size,
                                                              std::size_t most);

/// A changed PNG is refused for its checksums before anything else is looked at, so most are
/// mended.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes, std::size_t size,
                                               std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(bytes, size, most);
  if (seed % 8 != 0 && size > 0 && bytes[0] == 0x89) mend_png({bytes, size});
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mpbench::fuzz::MemoryFolder folder;
  const auto path = folder.write("picture", std::as_bytes(std::span(bytes, size)));
  try {
    const auto shape = image::read_image_shape(path);
    stated(is_side(shape.height) && is_side(shape.width));
    stated(shape.channels == 1 || shape.channels == 3);
    if (std::int64_t{shape.height} * shape.width > most_pixels) return 0;
    prepare(path, shape, shape.height, shape.width, shape.channels);
  } catch (const mpbench::Error&) {
    return 0;  // the one way to refuse a file
  }
  // What was read once is read again, into any frame.
  const auto shape = image::read_image_shape(path);
  prepare(path, shape, 7, 5, 3);
  const auto shown = image::image_thumbnail(path);
  stated(shown.full == cv::Size(shape.width, shape.height));
  stated(!shown.pixels.empty() && std::max(shown.pixels.rows, shown.pixels.cols) <= 480);
  return 0;
}
