#include "mpbench/train/unit_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "mpbench/core/error.hpp"

namespace mpbench::train {

std::vector<UnitScore> unit_scores(std::span<const ImageScore> images, UnitScoring scoring) {
  std::vector<UnitScore> units;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageScore& image = images[i];
    const auto [place, added] = image.unit.empty() ? std::pair{places.end(), true}
                                                   : places.try_emplace(image.unit, units.size());
    if (added) {
      units.push_back({.first = i, .label = image.label, .score = image.score});
      continue;
    }
    UnitScore& unit = units[place->second];
    if (images[unit.first].group != image.group) {
      throw Error(fmt::format("predictions: unit {} is in the groups {} and {}", image.unit,
                              images[unit.first].group, image.group));
    }
    ++unit.images;
    unit.label = std::max(unit.label, image.label);
    if (scoring == UnitScoring::mean) {
      unit.score += image.score;
    } else if (image.score > unit.score || std::isnan(image.score)) {
      unit.score = image.score;
    }
  }
  if (scoring == UnitScoring::mean) {
    for (UnitScore& unit : units) unit.score /= static_cast<double>(unit.images);
  }
  return units;
}

}  // namespace mpbench::train
