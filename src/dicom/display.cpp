#include "mpbench/dicom/display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::dicom {
namespace {

/// A number for every value that a pixel can have. Stored values have at most 16 bits, so that
/// every step is computed once a value, in double, however large the image.
using ValueMap = std::vector<double>;

/// The stored values of an image as indices of a ValueMap: an index is the value's bits.
class StoredValues {
 public:
  explicit StoredValues(int depth) : depth_(depth) {}
  std::size_t count() const { return depth_ == CV_8U || depth_ == CV_8S ? 256 : 65536; }
  std::int32_t value(std::size_t index) const {
    switch (depth_) {
      case CV_8S:
        return static_cast<std::int8_t>(index);
      case CV_16S:
        return static_cast<std::int16_t>(index);
      default:
        return static_cast<std::int32_t>(index);
    }
  }
  std::size_t index(std::int32_t value) const {
    return static_cast<std::size_t>(value) & (count() - 1);
  }
  /// Calls visit(indices, row, columns) for every row; `indices` is a pointer to bytes or words.
  template <typename Visit>
  void for_each_row(const cv::Mat& pixels, Visit visit) const {
    for (int row = 0; row < pixels.rows; ++row) {
      if (count() == 256) {
        visit(pixels.ptr<std::uint8_t>(row), row, pixels.cols);
      } else {
        visit(pixels.ptr<std::uint16_t>(row), row, pixels.cols);
      }
    }
  }

 private:
  int depth_;
};

void check_grey(const DecodedFrame& image) {
  const std::string& photometric = image.attributes.photometric_interpretation;
  if (photometric != "MONOCHROME1" && photometric != "MONOCHROME2") {
    throw InputError(image.path, "PhotometricInterpretation",
                     fmt::format("{}: only MONOCHROME1 and MONOCHROME2 have a modality and display "
                                 "transformation here",
                                 photometric));
  }
  const int type = image.pixels.type();
  if (type != CV_8UC1 && type != CV_8SC1 && type != CV_16UC1 && type != CV_16SC1) {
    throw InputError(image.path, "PixelData", "is not one channel of 8 or 16 bits");
  }
}

/// The entry for an input; beyond either end the last one holds (PS3.3 C.11.1.1, C.11.2.1.1).
double look_up(const LookupTable& table, double input) {
  const double index = std::clamp(std::round(input) - table.first, 0.0,
                                  static_cast<double>(table.entries.size() - 1));
  return table.entries[static_cast<std::size_t>(index)];
}

bool is_usable(const LookupTable& table) { return !table.entries.empty(); }

ValueMap modality_values(const DecodedFrame& image, const StoredValues& stored) {
  const ImageAttributes& attributes = image.attributes;
  const bool has_table = attributes.modality_lut && is_usable(*attributes.modality_lut);
  const double slope = attributes.rescale_slope.value_or(1);
  const double intercept = attributes.rescale_intercept.value_or(0);
  if (!has_table && (!std::isfinite(slope) || slope == 0)) {
    throw InputError(image.path, "RescaleSlope", slope == 0 ? "is 0" : "is not a number");
  }
  if (!has_table && !std::isfinite(intercept)) {
    throw InputError(image.path, "RescaleIntercept", "is not a number");
  }
  ValueMap values(stored.count());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = stored.value(i);
    values[i] = has_table ? look_up(*attributes.modality_lut, x) : slope * x + intercept;
  }
  return values;
}

/// Which stored values are padding (PS3.3 C.7.5.1.1.2): one value, or a range in either order.
/// Empty when there is none.
std::vector<char> padding_values(const ImageAttributes& attributes, const StoredValues& stored) {
  if (!attributes.padding_value) return {};
  std::vector<char> is_padding(stored.count(), 0);
  const std::int32_t one = *attributes.padding_value;
  const std::int32_t other = attributes.padding_range_limit.value_or(one);
  for (std::size_t i = 0; i < is_padding.size(); ++i) {
    const std::int32_t x = stored.value(i);
    is_padding[i] = x >= std::min(one, other) && x <= std::max(one, other) ? 1 : 0;
  }
  return is_padding;
}

/// A window's output in [0, 1] (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2).
double windowed(double x, double center, double width, VoiFunction function) {
  if (function == VoiFunction::sigmoid) return 1 / (1 + std::exp(-4 * (x - center) / width));
  if (function == VoiFunction::linear_exact) {
    if (x <= center - width / 2) return 0;
    if (x > center + width / 2) return 1;
    return (x - center) / width + 0.5;
  }
  if (x <= center - 0.5 - (width - 1) / 2) return 0;
  if (x > center - 0.5 + (width - 1) / 2) return 1;
  return (x - (center - 0.5)) / (width - 1) + 0.5;
}

/// Why the first window cannot be used; empty when it can.
std::string window_fault(const ImageAttributes& attributes) {
  const Window& window = attributes.windows.front();
  if (!attributes.unknown_voi_function.empty()) {
    return fmt::format("unknown VOI LUT function '{}'", attributes.unknown_voi_function);
  }
  if (!std::isfinite(window.center)) return fmt::format("center {}", window.center);
  const bool wide_enough =
      attributes.voi_function == VoiFunction::linear ? window.width >= 1 : window.width > 0;
  if (!std::isfinite(window.width) || !wide_enough) return fmt::format("width {}", window.width);
  return {};
}

const char* name_of(VoiFunction function) {
  switch (function) {
    case VoiFunction::sigmoid:
      return "SIGMOID";
    case VoiFunction::linear_exact:
      return "LINEAR_EXACT";
    default:
      return "LINEAR";
  }
}

/// Modality values to [0, 1] by a window or a table. They stay as they are when the file has none
/// that is valid, and `used` says why.
VoiSource apply_voi(const ImageAttributes& attributes, ValueMap& values, std::string& used) {
  if (!attributes.windows.empty()) {
    const std::string fault = window_fault(attributes);
    if (!fault.empty()) {
      used = fmt::format("min-max: invalid window ({})", fault);
      return VoiSource::value_range;
    }
    const Window& window = attributes.windows.front();
    for (double& x : values) x = windowed(x, window.center, window.width, attributes.voi_function);
    used = fmt::format("window 1 of {}: {}/{} {}", attributes.windows.size(), window.center,
                       window.width, name_of(attributes.voi_function));
    return VoiSource::window;
  }
  if (attributes.voi_luts.empty()) {
    used = "min-max: no window";
    return VoiSource::value_range;
  }
  const LookupTable& table = attributes.voi_luts.front();
  if (!is_usable(table)) {
    used = "min-max: invalid VOI LUT";
    return VoiSource::value_range;
  }
  const double most = (1 << table.bits) - 1;
  for (double& x : values) x = std::min(look_up(table, x) / most, 1.0);
  used = fmt::format("VOI LUT 1 of {}", attributes.voi_luts.size());
  return VoiSource::lookup_table;
}

/// Modality values to [0, 1] from the smallest to the largest that occurs outside padding; false
/// when there is no range.
bool stretch(const cv::Mat& pixels, const StoredValues& stored, const std::vector<char>& is_padding,
             ValueMap& values) {
  std::vector<char> occurs(stored.count(), 0);
  stored.for_each_row(pixels, [&](const auto* indices, int, int columns) {
    for (int column = 0; column < columns; ++column) occurs[indices[column]] = 1;
  });
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (occurs[i] == 0 || (!is_padding.empty() && is_padding[i] != 0)) continue;
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  if (!(low < high)) return false;
  for (double& x : values) x = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return true;
}

void map_pixels(const cv::Mat& pixels, const StoredValues& stored, const std::vector<float>& values,
                cv::Mat& out) {
  out.create(pixels.rows, pixels.cols, CV_32FC1);
  stored.for_each_row(pixels, [&](const auto* indices, int row, int columns) {
    auto* to = out.ptr<float>(row);
    for (int column = 0; column < columns; ++column) to[column] = values[indices[column]];
  });
}

}  // namespace

cv::Mat to_modality(const DecodedFrame& image) {
  check_grey(image);
  const StoredValues stored(image.pixels.depth());
  const ValueMap values = modality_values(image, stored);
  cv::Mat out;
  map_pixels(image.pixels, stored, std::vector<float>(values.begin(), values.end()), out);
  return out;
}

DisplayTransform::DisplayTransform(const DecodedFrame& image) : depth_(image.pixels.depth()) {
  check_grey(image);
  const ImageAttributes& attributes = image.attributes;
  const StoredValues stored(depth_);
  ValueMap values = modality_values(image, stored);
  const std::vector<char> is_padding = padding_values(attributes, stored);
  bool constant = false;
  voi_ = apply_voi(attributes, values, window_);
  if (voi_ == VoiSource::value_range && !stretch(image.pixels, stored, is_padding, values)) {
    // Nothing to show: black, whichever way the image is inverted.
    constant = true;
    std::fill(values.begin(), values.end(), 0.0);
    window_ += ", constant image";
  }
  // One inversion, however many attributes ask for it: MONOCHROME1 with INVERSE is one statement
  // made twice (PS3.3 C.7.6.3.1.2, C.8.11.1).
  const bool inverted = attributes.photometric_interpretation == "MONOCHROME1" ||
                        attributes.presentation_lut_shape == "INVERSE";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (inverted && !constant) values[i] = 1 - values[i];
    if (!is_padding.empty() && is_padding[i] != 0) values[i] = 0;
  }
  shown_.assign(values.begin(), values.end());
}

void DisplayTransform::apply(const cv::Mat& pixels, cv::Mat& shown) const {
  map_pixels(pixels, StoredValues(depth_), shown_, shown);
}

cv::Mat DisplayTransform::apply(const cv::Mat& pixels) const {
  cv::Mat shown;
  apply(pixels, shown);
  return shown;
}

cv::Mat DisplayTransform::apply_averaged(const cv::Mat& pixels, int factor) const {
  if (factor < 1 || factor > std::min(pixels.rows, pixels.cols)) {
    throw Error(
        fmt::format("an image of {} x {} has no blocks of {}", pixels.rows, pixels.cols, factor));
  }
  const cv::Mat whole =
      pixels(cv::Rect(0, 0, pixels.cols / factor * factor, pixels.rows / factor * factor));
  cv::Mat out = cv::Mat::zeros(whole.rows / factor, whole.cols / factor, CV_32FC1);
  StoredValues(depth_).for_each_row(whole, [&](const auto* indices, int row, int) {
    auto* to = out.ptr<float>(row / factor);
    for (int block = 0; block < out.cols; ++block, indices += factor) {
      float sum = 0;
      for (int i = 0; i < factor; ++i) sum += shown_[indices[i]];
      to[block] += sum;
    }
  });
  out *= 1.0 / (static_cast<double>(factor) * factor);
  return out;
}

DisplayImage to_display(const DecodedFrame& image) {
  const DisplayTransform transform(image);
  DisplayImage display;
  display.pixels = transform.apply(image.pixels);
  display.window = transform.window();
  return display;
}

}  // namespace mpbench::dicom
