#include "mpbench/data/contact_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "cache.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/image/png_writer.hpp"

namespace mpbench::data {
namespace {

constexpr int sheet_columns = 5;
constexpr int thumbnail_side = 160;  // of each of a tile's two images
constexpr int tile_gap = 4;
constexpr int caption = 34;
constexpr int tile_width = 2 * thumbnail_side + 3 * tile_gap;
constexpr int tile_height = thumbnail_side + caption + 2 * tile_gap;
const cv::Scalar found_colour(90, 200, 90);
const cv::Scalar whole_colour(230, 60, 60);

/// Whole frames first, up to a fifth; then the others, evenly.
std::vector<std::size_t> choose(const std::vector<CachedPreparation>& preparations,
                                std::size_t most) {
  std::vector<std::size_t> whole;
  std::vector<std::size_t> cropped;
  for (std::size_t i = 0; i < preparations.size(); ++i) {
    (preparations[i].preparation.breast_found ? cropped : whole).push_back(i);
  }
  std::vector<std::size_t> chosen;
  const auto take_evenly = [&](const std::vector<std::size_t>& from, std::size_t count) {
    count = std::min(count, from.size());
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(from[i * from.size() / count]);
  };
  take_evenly(whole, std::max(most / 5, most - std::min(most, cropped.size())));
  take_evenly(cropped, most - chosen.size());
  return chosen;
}

cv::Mat in_bytes(const cv::Mat& picture) {
  cv::Mat bytes;
  picture.convertTo(bytes, CV_8U, 255);
  if (bytes.channels() == 1) cv::cvtColor(bytes, bytes, cv::COLOR_GRAY2RGB);
  return bytes;
}

/// The whole image, small, with the crop's frame; black when the file cannot be shown.
cv::Mat overview(const cv::Mat& whole, const image::Preparation& preparation,
                 const cv::Size& full) {
  const double scale = static_cast<double>(thumbnail_side) / std::max(full.width, full.height);
  cv::Mat small = cv::Mat::zeros(thumbnail_side, thumbnail_side, CV_8UC3);
  const cv::Size size(std::max(1, static_cast<int>(full.width * scale)),
                      std::max(1, static_cast<int>(full.height * scale)));
  cv::Mat resized;
  cv::resize(in_bytes(whole), resized, size, 0, 0, cv::INTER_AREA);
  resized.copyTo(small(cv::Rect(cv::Point(), size)));
  const cv::Rect& crop = preparation.crop;
  const cv::Point begin(static_cast<int>(crop.x * scale), static_cast<int>(crop.y * scale));
  const cv::Point end(std::min(size.width, static_cast<int>(crop.br().x * scale)) - 1,
                      std::min(size.height, static_cast<int>(crop.br().y * scale)) - 1);
  cv::rectangle(small, begin, end, preparation.breast_found ? found_colour : whole_colour);
  return small;
}

/// What the cache holds, as colour bytes.
cv::Mat stored_image(const ImageDataset& set, std::size_t index) {
  const auto bytes = set.image(static_cast<std::int64_t>(index));
  const auto plane = set.image_bytes() / static_cast<std::size_t>(set.channels);
  std::vector<cv::Mat> planes;
  for (int channel = set.channels; channel-- > 0;) {  // OpenCV wants blue first
    // OpenCV has no read-only view; the planes are only read.
    auto* data = const_cast<std::byte*>(bytes.data()) + static_cast<std::size_t>(channel) * plane;
    const cv::Mat view(set.height, set.width, set.pixel_type == PixelType::u8 ? CV_8U : CV_16U,
                       data);
    cv::Mat picture;
    view.convertTo(picture, CV_32F, 1 / pixel_maximum(set.pixel_type));
    planes.push_back(
        image::letterbox(picture, thumbnail_side, thumbnail_side, image::HorizontalPlace::centre));
  }
  cv::Mat picture;
  cv::merge(planes, picture);
  return in_bytes(picture);
}

void write_text(cv::Mat& sheet, const std::string& text, const cv::Point& at) {
  cv::putText(sheet, text.substr(0, 52), at, cv::FONT_HERSHEY_SIMPLEX, 0.36, cv::Scalar::all(220),
              1, cv::LINE_AA);
}

}  // namespace

void write_contact_sheet(const std::filesystem::path& png, const std::filesystem::path& cache,
                         const image::MakeThumbnail& make_thumbnail, int most) {
  const auto set = open_cache(cache);
  const auto preparations = read_preparations(cache);
  const std::filesystem::path source = read_cache_info(cache).source;
  if (preparations.size() != set.samples.size()) {
    throw InputError(cache, "preparations", "they are not those of the images");
  }
  const auto chosen = choose(preparations, static_cast<std::size_t>(most));
  const int rows = (static_cast<int>(chosen.size()) + sheet_columns - 1) / sheet_columns;
  cv::Mat sheet(rows * tile_height, sheet_columns * tile_width, CV_8UC3, cv::Scalar::all(32));
  for (std::size_t place = 0; place < chosen.size(); ++place) {
    throw_if_interrupted();
    const std::size_t i = chosen[place];
    const auto& [path, preparation] = preparations[i];
    const cv::Point corner(static_cast<int>(place) % sheet_columns * tile_width + tile_gap,
                           static_cast<int>(place) / sheet_columns * tile_height + tile_gap);
    std::string second = fmt::format("{} {}", set.samples[i].case_id,
                                     set.classes[static_cast<std::size_t>(set.samples[i].label)]);
    if (preparation.reduction > 0) second += fmt::format(", at 1/{}", 1 << preparation.reduction);
    if (!preparation.breast_found && !preparation.window.empty()) second += ", whole frame";
    try {
      const auto [whole, full] = make_thumbnail(source / path);
      overview(whole, preparation, full)
          .copyTo(sheet(cv::Rect(corner, cv::Size(thumbnail_side, thumbnail_side))));
    } catch (const InputError& error) {
      second = "cannot be shown: " + error.problem();
    }
    stored_image(set, i).copyTo(sheet(cv::Rect(corner + cv::Point(thumbnail_side + tile_gap, 0),
                                               cv::Size(thumbnail_side, thumbnail_side))));
    write_text(sheet, set.samples[i].id, corner + cv::Point(0, thumbnail_side + 13));
    write_text(sheet, second, corner + cv::Point(0, thumbnail_side + 28));
  }
  image::write_png(png, sheet);
}

}  // namespace mpbench::data
