#include "breast_roi.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "bright_frame.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::mammo {
namespace {

// The search runs on a small copy: averaging removes noise, and lines and letters become thin.
constexpr int search_size = 384;
constexpr int bins = 1024;
// A box below this share of the frame is not a breast, but a label or an artefact.
constexpr double least_box_share = 0.05;
// Tissue over almost the whole frame means that the threshold found no background.
constexpr double most_tissue_share = 0.97;
// Tissue must stand out from the background by this many of its deviations. Pure noise cut in two
// reaches 2.7, a real breast 20 and more.
constexpr double least_contrast = 5;
// The box is wider than the breast by this part of its longer side, all around.
constexpr int margin_share = 64;

struct Distribution {
  std::array<double, bins> count{};
  double total = 0;
};

Distribution count_values(const cv::Mat& picture) {
  Distribution distribution;
  for (int row = 0; row < picture.rows; ++row) {
    for (const float *x = picture.ptr<float>(row), *end = x + picture.cols; x != end; ++x) {
      const int bin = static_cast<int>(std::clamp(*x, 0.0F, 1.0F) * (bins - 1) + 0.5F);
      ++distribution.count[static_cast<std::size_t>(bin)];
      ++distribution.total;
    }
  }
  return distribution;
}

/// The bin that splits a distribution with the largest variance between its parts (Otsu 1979).
std::size_t otsu(const Distribution& distribution) {
  double sum = 0;
  for (std::size_t i = 0; i < bins; ++i) sum += static_cast<double>(i) * distribution.count[i];
  double weight = 0;
  double part = 0;
  double best = -1;
  std::size_t threshold = 0;
  for (std::size_t i = 0; i + 1 < bins; ++i) {
    weight += distribution.count[i];
    part += static_cast<double>(i) * distribution.count[i];
    const double rest = distribution.total - weight;
    if (weight == 0 || rest == 0) continue;
    const double difference = part / weight - (sum - part) / rest;
    const double between = weight * rest * difference * difference;
    if (between > best) {
      best = between;
      threshold = i;
    }
  }
  return threshold;
}

/// The bin below which `share` of the values up to `last` lie.
std::size_t quantile(const Distribution& distribution, std::size_t last, double share) {
  double all = 0;
  for (std::size_t i = 0; i <= last; ++i) all += distribution.count[i];
  double seen = 0;
  for (std::size_t i = 0; i <= last; ++i) {
    seen += distribution.count[i];
    if (seen >= share * all) return i;
  }
  return last;
}

/// The darkest peak of a distribution up to `last`, of the peaks that come near the highest one.
/// The highest alone may be fatty tissue, where the breast is large and the background noisy.
std::size_t darkest_peak(const Distribution& distribution, std::size_t last) {
  constexpr std::size_t reach = bins / 160;  // smooths over 1.2 % of the range
  std::vector<double> smooth(last + 1, 0);
  for (std::size_t i = 0; i <= last; ++i) {
    const std::size_t end = std::min(i + reach, static_cast<std::size_t>(bins) - 1);
    for (std::size_t k = i < reach ? 0 : i - reach; k <= end; ++k)
      smooth[i] += distribution.count[k];
  }
  const double enough = 0.25 * *std::max_element(smooth.begin(), smooth.end());
  std::size_t peak = 0;
  while (smooth[peak] < enough) ++peak;
  // Uphill to the top of this peak; smoothing leaves plateaus, whose dips are shorter than its
  // reach.
  for (std::size_t i = peak; i <= std::min(peak + 2 * reach, last); ++i) {
    if (smooth[i] > smooth[peak]) peak = i;
  }
  return peak;
}

/// Between background and tissue. Otsu's split alone would cut off fatty tissue and skin, which are
/// much nearer to the background than to the glands: so the background is what lies around the
/// darkest peak, as wide as that peak is on its dark side.
double background_limit(const cv::Mat& picture) {
  const Distribution distribution = count_values(picture);
  const std::size_t split = otsu(distribution);
  const std::size_t peak = darkest_peak(distribution, split);
  const std::size_t darkest = quantile(distribution, peak, 0.02);
  const double spread = std::max<double>(static_cast<double>(peak - darkest), 0.01 * bins);
  const double limit = static_cast<double>(peak) + 2.0 * spread;
  return std::min(limit, static_cast<double>(split) + 0.5) / (bins - 1);
}

double quantile_of(std::vector<float> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Whether the tissue stands out from what lies around it, by medians and quartiles: a bright label
/// in the background must not count as spread.
bool stands_out(const cv::Mat& picture, const cv::Mat& tissue) {
  std::vector<float> inside;
  std::vector<float> outside;
  for (int row = 0; row < picture.rows; ++row) {
    const float* x = picture.ptr<float>(row);
    const auto* mask = tissue.ptr<std::uint8_t>(row);
    for (int column = 0; column < picture.cols; ++column) {
      (mask[column] != 0 ? inside : outside).push_back(x[column]);
    }
  }
  if (inside.empty() || outside.empty()) return false;
  const double spread = (quantile_of(outside, 0.75) - quantile_of(outside, 0.25)) / 1.349;
  const double difference = quantile_of(inside, 0.5) - quantile_of(outside, 0.5);
  return difference > least_contrast * std::max(spread, 0.004);
}

/// The largest connected part of a mask (8 neighbours); empty when the mask is.
cv::Mat largest_component(const cv::Mat& mask, cv::Rect& box, int& area) {
  cv::Mat labels;
  cv::Mat statistics;
  cv::Mat centroids;
  const int count = cv::connectedComponentsWithStats(mask, labels, statistics, centroids, 8);
  int best = 0;
  area = 0;
  for (int label = 1; label < count; ++label) {
    if (statistics.at<int>(label, cv::CC_STAT_AREA) <= area) continue;
    area = statistics.at<int>(label, cv::CC_STAT_AREA);
    best = label;
  }
  if (best == 0) return {};
  box = cv::Rect(
      statistics.at<int>(best, cv::CC_STAT_LEFT), statistics.at<int>(best, cv::CC_STAT_TOP),
      statistics.at<int>(best, cv::CC_STAT_WIDTH), statistics.at<int>(best, cv::CC_STAT_HEIGHT));
  return labels == best;
}

/// A box of the small image in the pixels of the large one, with a margin: the skin is thin and
/// dark, and a pixel here is several there. The margin does not reach out of `frame`.
cv::Rect scale_up(const cv::Rect& box, const cv::Rect& frame, const cv::Size& small,
                  const cv::Size& large) {
  const int margin = 1 + std::max(box.width, box.height) / margin_share;
  const cv::Rect wide =
      cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) &
      frame;
  const double across = static_cast<double>(large.width) / small.width;
  const double down = static_cast<double>(large.height) / small.height;
  const auto left = static_cast<int>(std::floor(wide.x * across));
  const auto top = static_cast<int>(std::floor(wide.y * down));
  const auto right = static_cast<int>(std::ceil((wide.x + wide.width) * across));
  const auto bottom = static_cast<int>(std::ceil((wide.y + wide.height) * down));
  return cv::Rect(left, top, right - left, bottom - top) & cv::Rect(cv::Point(), large);
}

/// The breast's box in the search's small image; empty where no breast stands out.
cv::Rect search(const cv::Mat& sharp) {
  cv::Mat picture;
  cv::GaussianBlur(sharp, picture, cv::Size(5, 5), 1.0, 1.0,
                   cv::BORDER_REPLICATE | cv::BORDER_ISOLATED);
  cv::Mat tissue = picture > background_limit(picture);
  // Opening takes away specks, lines and a label's bridge to the breast. Outside the frame counts
  // as tissue where the frame's edge is: the breast goes on beyond it.
  const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, cv::Size(7, 7));
  cv::morphologyEx(tissue, tissue, cv::MORPH_OPEN, disc, cv::Point(-1, -1), 1,
                   cv::BORDER_REPLICATE);
  cv::Rect box;
  int area = 0;
  tissue = largest_component(tissue, box, area);
  if (tissue.empty()) return {};
  const double frame = static_cast<double>(picture.total());
  if (box.area() < least_box_share * frame || area > most_tissue_share * frame ||
      area < 0.25 * box.area() || !stands_out(picture, tissue)) {
    return {};
  }
  return box;
}

}  // namespace

BreastRoi find_breast(const cv::Mat& display) {
  if (display.type() != CV_32FC1 || display.empty()) {
    throw Error("find_breast takes an image of one float channel");
  }
  const BreastRoi whole_frame{cv::Rect(0, 0, display.cols, display.rows), false};
  const double scale =
      std::min(1.0, static_cast<double>(search_size) / std::max(display.cols, display.rows));
  const cv::Size size(std::max(1, static_cast<int>(std::lround(display.cols * scale))),
                      std::max(1, static_cast<int>(std::lround(display.rows * scale))));
  cv::Mat picture;
  cv::resize(display, picture, size, 0, 0, cv::INTER_AREA);
  const cv::Rect inside = inside_bright_frame(picture);
  cv::Rect box = search(picture(inside));
  if (box.empty()) return whole_frame;
  box += inside.tl();
  return {scale_up(box, inside, size, display.size()), true};
}

}  // namespace mpbench::mammo
