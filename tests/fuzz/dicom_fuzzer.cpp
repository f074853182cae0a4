// A whole DICOM file, through everything that preprocessing does to one: parse, stored values
// (whole, reduced, in part), display, crop.
#include <cstdint>
#include <cstdlib>
#include <opencv2/core.hpp>

#include "../../src/mammo/breast_roi.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/dicom/display.hpp"
#include "stated.hpp"

namespace {

using mpbench::dicom::DecodeOptions;
using mpbench::dicom::DicomImage;
using mpbench::fuzz::stated;

// A few bytes may be an empty image of any size: its cost is known, and finds nothing.
constexpr std::int64_t most_pixels = std::int64_t{1} << 20;

void show(const mpbench::dicom::DecodedFrame& stored) {
  const auto display = mpbench::dicom::to_display(stored);
  stated(display.pixels.type() == CV_32FC1 && display.pixels.size() == stored.pixels.size());
  stated(cv::checkRange(display.pixels, true, nullptr, 0.0, 1.0 + 1e-6));
  const auto roi = mpbench::mammo::find_breast(display.pixels);
  const cv::Rect frame({0, 0}, display.pixels.size());
  stated(!roi.box.empty() && (roi.box & frame) == roi.box);
}

void decode(DicomImage& image, int frame) {
  const cv::Size size = image.size();
  const auto whole = image.read(frame);
  stated(whole.pixels.size() == size);
  if (whole.pixels.channels() == 1) show(whole);
  const int most = image.max_reduction(frame);
  stated(most >= 0 && most <= 32);
  DecodeOptions options;
  options.reduction = std::min(most, 2);
  const int step = 1 << options.reduction;
  stated(!image.read(frame, options).pixels.empty());
  options.area = {size.width / 2 / step * step, size.height / 2 / step * step, 0, 0};
  options.area.width = size.width - options.area.x;
  options.area.height = size.height - options.area.y;
  const auto part = image.read(frame, options);
  stated(part.pixels.cols <= options.area.width && part.pixels.rows <= options.area.height);
  if (options.reduction == 0) {
    const cv::Mat same = whole.pixels(options.area);
    stated(cv::norm(same.reshape(1), part.pixels.reshape(1), cv::NORM_INF) == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    DicomImage image({reinterpret_cast<const std::byte*>(data), size}, "input.dcm");
    if (std::int64_t{image.size().width} * image.size().height > most_pixels) return 0;
    stated(image.frames() >= 1);
    decode(image, 0);
    if (image.frames() > 1) decode(image, image.frames() - 1);
  } catch (const mpbench::Error&) {
    return 0;  // the one way to refuse a file
  }
  return 0;
}
