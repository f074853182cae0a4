#include "timm_names.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace mpbench::nn {
namespace {

/// A module under timm's name, and where torchvision has it.
struct Place {
  std::string_view timm;
  std::string_view torchvision;
};

constexpr std::array outer{Place{"conv_stem", "features.0.0"}, Place{"bn1", "features.0.1"},
                           Place{"conv_head", "features.8.0"}, Place{"bn2", "features.8.1"},
                           Place{"classifier", "classifier.1"}};

// The first stage's blocks do not widen, so they have a convolution less.
constexpr std::array first_stage{Place{"conv_dw", "0.0"},          Place{"bn1", "0.1"},
                                 Place{"se.conv_reduce", "1.fc1"}, Place{"se.conv_expand", "1.fc2"},
                                 Place{"conv_pw", "2.0"},          Place{"bn2", "2.1"}};
constexpr std::array later_stages{
    Place{"conv_pw", "0.0"},          Place{"bn1", "0.1"},
    Place{"conv_dw", "1.0"},          Place{"bn2", "1.1"},
    Place{"se.conv_reduce", "2.fc1"}, Place{"se.conv_expand", "2.fc2"},
    Place{"conv_pwl", "3.0"},         Place{"bn3", "3.1"}};
constexpr int stages = 7;

/// The number that `text` begins with, which is taken off it with the point behind it.
std::optional<int> take_index(std::string_view& text) {
  int index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || index < 0 || length >= text.size() || *end != '.') return {};
  text.remove_prefix(length + 1);
  return index;
}

std::optional<std::string_view> find_place(std::span<const Place> places, std::string_view module) {
  for (const Place& place : places) {
    if (place.timm == module) return place.torchvision;
  }
  return {};
}

}  // namespace

std::optional<std::string> torchvision_efficientnet_name(std::string_view timm_name) {
  const std::size_t point = timm_name.rfind('.');
  if (point == std::string_view::npos) return {};
  std::string_view module = timm_name.substr(0, point);
  const std::string_view tensor = timm_name.substr(point + 1);
  if (!module.starts_with("blocks.")) {
    const auto place = find_place(outer, module);
    if (!place) return {};
    return fmt::format("{}.{}", *place, tensor);
  }
  module.remove_prefix(std::string_view("blocks.").size());
  const auto stage = take_index(module);
  const auto block = take_index(module);
  if (!stage || !block || *stage >= stages) return {};
  const auto place =
      *stage == 0 ? find_place(first_stage, module) : find_place(later_stages, module);
  if (!place) return {};
  return fmt::format("features.{}.{}.block.{}.{}", *stage + 1, *block, *place, tensor);
}

}  // namespace mpbench::nn
