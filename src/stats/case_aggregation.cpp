#include "mpbench/stats/case_aggregation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "log_odds.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

/// ln(exp(a) + exp(b)).
double log_add(double a, double b) {
  const double larger = std::max(a, b);
  if (std::isinf(larger)) return larger;
  return larger + std::log1p(std::exp(-std::abs(a - b)));
}

/// The images of one unit so far. Of their probabilities p the sums of p and of 1 - p are kept as
/// logarithms: their ratio is the odds of the mean, however close to 0 or 1 it is.
struct ImageSums {
  double log_p = 0;
  double log_not_p = 0;
  bool all_equal = true;
};

double logit_of(const ImageScore& image) { return image.logit.value_or(log_odds(image.score)); }

void add_to_mean(CaseScore& unit, ImageSums& sums, const ImageScore& image) {
  const double logit = logit_of(image);
  // Sums of equal numbers round by how many there are: units of equal images must stay equal.
  if (sums.all_equal && logit == unit.logit && image.score == unit.score) return;
  if (sums.all_equal) {
    const double others = static_cast<double>(unit.images - 1);
    sums = {.log_p = log_sigmoid(unit.logit) + std::log(others),
            .log_not_p = log_sigmoid(-unit.logit) + std::log(others),
            .all_equal = false};
    unit.score *= others;
  }
  sums.log_p = log_add(sums.log_p, log_sigmoid(logit));
  sums.log_not_p = log_add(sums.log_not_p, log_sigmoid(-logit));
  unit.score += image.score;
}

void add_to_max(CaseScore& unit, const ImageScore& image) {
  const double logit = logit_of(image);
  if (image.score > unit.score || logit > unit.logit || std::isnan(image.score)) {
    unit.score = image.score;
    unit.logit = logit;
  }
}

}  // namespace

std::vector<CaseScore> aggregate_cases(std::span<const ImageScore> images,
                                       CaseAggregation scoring) {
  std::vector<CaseScore> units;
  std::vector<ImageSums> sums;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageScore& image = images[i];
    const auto [place, added] = image.case_id.empty()
                                    ? std::pair{places.end(), true}
                                    : places.try_emplace(image.case_id, units.size());
    if (added) {
      units.push_back(
          {.first = i, .label = image.label, .score = image.score, .logit = logit_of(image)});
      sums.emplace_back();
      continue;
    }
    CaseScore& unit = units[place->second];
    if (images[unit.first].group != image.group) {
      throw Error(fmt::format("predictions: unit {} is in the groups {} and {}", image.case_id,
                              images[unit.first].group, image.group));
    }
    ++unit.images;
    unit.label = std::max(unit.label, image.label);
    if (scoring == CaseAggregation::mean) {
      add_to_mean(unit, sums[place->second], image);
    } else {
      add_to_max(unit, image);
    }
  }
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (sums[i].all_equal || scoring == CaseAggregation::max) continue;
    units[i].score /= static_cast<double>(units[i].images);
    units[i].logit = sums[i].log_p - sums[i].log_not_p;
  }
  return units;
}

}  // namespace mpbench::stats
