#include "mpbench/mammo/mammogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "breast_roi.hpp"
#include "chest_wall.hpp"
#include "mammogram_search.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/dicom/display.hpp"
#include "mpbench/image/letterbox.hpp"

namespace mpbench::mammo {
namespace {

// A window narrower than this share of the values' range makes edges so steep that averaging before
// it differs from averaging after it.
constexpr double least_window_share = 1.0 / 8;
// Half a step of 8 bits.
constexpr float nearly_black = 0.5F / 255;

/// How often a frame can be halved for the search of the breast.
int search_reduction(const cv::Size& frame, int levels) {
  int reduction = 0;
  while (reduction < levels && (largest_side(frame) >> (reduction + 1)) >= least_search_size) {
    ++reduction;
  }
  return reduction;
}

/// How often a crop can be halved and still be least_oversampling times what it is stored at.
int fitting_reduction(const cv::Size& crop, int height, int width) {
  const double oversampling =
      std::max(static_cast<double>(crop.height) / height, static_cast<double>(crop.width) / width);
  const auto spare = static_cast<unsigned>(std::max(oversampling / least_oversampling, 1.0));
  return static_cast<int>(std::bit_width(spare)) - 1;
}

/// Whether padding that blends into its neighbours would show as something other than black.
bool padding_shows(const dicom::DecodedFrame& image) {
  const auto& attributes = image.attributes;
  if (!attributes.padding_value) return false;
  const std::int32_t one = *attributes.padding_value;
  const std::int32_t other = attributes.padding_range_limit.value_or(one);
  dicom::DecodedFrame ends;
  ends.attributes = attributes;
  ends.attributes.padding_value.reset();
  ends.path = image.path;
  cv::Mat(cv::Matx12d(one, other)).convertTo(ends.pixels, image.pixels.type());
  // Windows are monotonic: between its ends a range shows nothing that its ends do not.
  const cv::Mat shown = dicom::DisplayTransform(ends).apply(ends.pixels);
  return std::max(shown.at<float>(0), shown.at<float>(1)) > nearly_black;
}

/// Whether averaging stored values is nearly the same as averaging what they show.
bool averages_well(const dicom::DecodedFrame& image, const dicom::DisplayTransform& transform) {
  if (transform.voi() != dicom::VoiSource::window || image.attributes.modality_lut) return false;
  double low = 0;
  double high = 0;
  cv::minMaxLoc(image.pixels, &low, &high);
  const double range = (high - low) * std::abs(image.attributes.rescale_slope.value_or(1));
  return image.attributes.windows.front().width >= least_window_share * range &&
         !padding_shows(image);
}

/// Nothing where the frame has to be decoded in full.
std::optional<image::PreparedImage> prepare_reduced(dicom::DicomImage& file, int height,
                                                    int width) {
  const cv::Size frame = file.size();
  const int search = search_reduction(frame, file.max_reduction());
  if (search == 0) return std::nullopt;
  const auto small = file.read(0, {.reduction = search, .area = {}});
  const dicom::DisplayTransform transform(small);
  if (!averages_well(small, transform)) return std::nullopt;

  const cv::Mat picture = transform.apply(small.pixels);
  const auto roi = find_breast(picture);
  cv::Mat crop = picture(roi.box);
  const image::HorizontalPlace place = chest_wall_side(crop);
  image::PreparedImage image;
  image.preparation = {
      .window = transform.window(),
      .crop = roi.found ? scaled_up(roi.box, 1 << search, frame) : cv::Rect(cv::Point(), frame),
      .breast_found = roi.found,
      .reduction = search,
      .notes = small.notes};
  const int fitting = fitting_reduction(image.preparation.crop.size(), height, width);
  if (fitting < search) {
    const auto fine = file.read(0, {.reduction = fitting, .area = image.preparation.crop});
    crop = transform.apply(fine.pixels);
    image.preparation.reduction = fitting;
    image.preparation.notes = fine.notes;
  }
  image.pixels = image::letterbox(crop, height, width, place);
  return image;
}

image::PreparedImage prepare_in_full(dicom::DicomImage& file, int height, int width) {
  const auto stored = file.read();
  const dicom::DisplayTransform transform(stored);
  const cv::Size frame = file.size();
  const int factor = search_factor(frame);
  auto roi = find_breast(transform.apply_averaged(stored.pixels, factor));
  // Where no breast stands out the box is the whole frame: the image is used as it is.
  const cv::Rect box = roi.found ? scaled_up(roi.box, factor, frame) : cv::Rect(cv::Point(), frame);
  cv::Mat crop = thread_image(box.size());
  transform.apply(stored.pixels(box), crop);
  return {.pixels = image::letterbox(crop, height, width, chest_wall_side(crop)),
          .preparation = {.window = transform.window(),
                          .crop = box,
                          .breast_found = roi.found,
                          .reduction = 0,
                          .notes = stored.notes}};
}

}  // namespace

image::PreparedImage prepare_mammogram(const std::filesystem::path& path, int height, int width,
                                       bool exact) {
  dicom::DicomImage file(path);
  if (!exact) {
    try {
      if (auto reduced = prepare_reduced(file, height, width)) return std::move(*reduced);
    } catch (const InputError&) {
      // Decoding in full says what is wrong, or shows that only the reduced decoding minds it.
    }
  }
  return prepare_in_full(file, height, width);
}

std::string mammogram_preparation(bool exact) {
  return fmt::format(R"({{"exact":{},"least_oversampling":{}}})", exact, least_oversampling);
}

image::Thumbnail mammogram_thumbnail(const std::filesystem::path& path) {
  dicom::DicomImage file(path);
  const int reduction = search_reduction(file.size(), file.max_reduction());
  const auto stored = file.read(0, {.reduction = reduction, .area = {}});
  return {dicom::DisplayTransform(stored).apply(stored.pixels), file.size()};
}

}  // namespace mpbench::mammo
