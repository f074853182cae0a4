#include <fmt/format.h>

#include <array>
#include <opencv2/imgproc.hpp>

#include "breast_roi.hpp"
#include "chest_wall.hpp"
#include "mammogram_search.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/image_file.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/mammo/mammogram.hpp"

namespace mpbench::mammo {
namespace {

namespace fs = std::filesystem;

/// A mammogram of one channel, and the value that stands for white.
struct GrayImage {
  cv::Mat pixels;
  double white = 255;
  std::vector<std::string> notes;
};

/// Programs save grey images in colour: the three channels are one then, but for what JPEG
/// rounds.
cv::Mat one_channel(const fs::path& path, const cv::Mat& picture) {
  if (picture.channels() == 1) return picture;
  std::vector<cv::Mat> planes;
  cv::split(picture, planes);
  const double tolerance = picture.depth() == CV_16U ? 8 * 257 : 8;
  for (const int other : {0, 2}) {
    cv::Mat difference;
    cv::absdiff(planes[1], planes[static_cast<std::size_t>(other)], difference);
    double largest = 0;
    cv::minMaxLoc(difference, nullptr, &largest);
    if (largest > tolerance) throw InputError(path, "colour", "a mammogram is grey");
  }
  return planes[1];
}

double white_of(const cv::Mat& pixels, std::vector<std::string>& notes) {
  if (pixels.depth() != CV_16U) return 255;
  double highest = 0;
  cv::minMaxLoc(pixels, nullptr, &highest);
  for (const int bits : {8, 10, 12, 14}) {
    const int white = (1 << bits) - 1;
    if (highest == 0 || highest > white) continue;
    notes.push_back(fmt::format("16 bits with values up to {}: taken as {} bits", highest, bits));
    return white;
  }
  return 65535;
}

GrayImage read_grey(const fs::path& path) {
  auto picture = image::decode_image_file(path);
  GrayImage grey{.pixels = one_channel(path, picture.pixels), .notes = std::move(picture.notes)};
  grey.white = white_of(grey.pixels, grey.notes);
  return grey;
}

/// Means over blocks of `factor` x `factor` pixels, in [0, 1]; rows and columns that fill no block
/// are left out.
cv::Mat averaged(const GrayImage& picture, int factor) {
  const cv::Mat& pixels = picture.pixels;
  cv::Mat means(pixels.rows / factor, pixels.cols / factor, CV_32FC1);
  cv::Mat strip;
  for (int row = 0; row < means.rows; ++row) {  // in strips: the whole in float would be large
    pixels(cv::Rect(0, row * factor, means.cols * factor, factor))
        .convertTo(strip, CV_32F, 1 / picture.white);
    cv::Mat line = means.row(row);
    cv::resize(strip, line, line.size(), 0, 0, cv::INTER_AREA);
  }
  return means;
}

}  // namespace

image::PreparedImage prepare_mammogram_image(const fs::path& path, int height, int width) {
  auto picture = read_grey(path);
  const cv::Size frame = picture.pixels.size();
  const int factor = search_factor(frame);
  const auto roi = find_breast(averaged(picture, factor));
  const cv::Rect box = roi.found ? scaled_up(roi.box, factor, frame) : cv::Rect(cv::Point(), frame);
  cv::Mat crop = thread_image(box.size());
  picture.pixels(box).convertTo(crop, CV_32F, 1 / picture.white);
  return {.pixels = image::letterbox(crop, height, width, chest_wall_side(crop)),
          .preparation = {.window = {},
                          .crop = box,
                          .breast_found = roi.found,
                          .reduction = 0,
                          .notes = std::move(picture.notes)}};
}

image::Thumbnail mammogram_image_thumbnail(const fs::path& path) {
  const auto picture = read_grey(path);
  const cv::Size frame = picture.pixels.size();
  return {averaged(picture, search_factor(frame)), frame};
}

}  // namespace mpbench::mammo
