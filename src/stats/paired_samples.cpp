#include "paired_samples.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

void require_samples(const PairedPredictions& seed) {
  const std::size_t samples = seed.label.size();
  const auto has_one_a_sample = [&](const auto& values) { return values.size() == samples; };
  const auto is_absent_or_whole = [&](const auto& values) {
    return values.empty() || values.size() == samples;
  };
  if (samples == 0) throw Error("paired predictions of no samples");
  if (!has_one_a_sample(seed.group) || !has_one_a_sample(seed.baseline_score) ||
      !has_one_a_sample(seed.arm_score) || !has_one_a_sample(seed.baseline_predicted) ||
      !has_one_a_sample(seed.arm_predicted) || !is_absent_or_whole(seed.baseline_probability) ||
      !is_absent_or_whole(seed.arm_probability)) {
    throw Error("paired predictions: vectors of different lengths");
  }
  if (*std::min_element(seed.label.begin(), seed.label.end()) < 0) {
    throw Error("paired predictions: a negative label");
  }
}

}  // namespace

PairedSamples paired_samples(std::span<const PairedPredictions> seeds) {
  if (seeds.empty()) throw Error("paired predictions of no seeds");
  const PairedPredictions& first = seeds.front();
  for (const PairedPredictions& seed : seeds) {
    require_samples(seed);
    if (seed.group != first.group || seed.label != first.label) {
      throw Error("paired predictions: the seeds were not judged on the same samples");
    }
  }
  PairedSamples samples;
  samples.classes = std::max(*std::max_element(first.label.begin(), first.label.end()) + 1, 2);
  std::unordered_map<std::string_view, std::size_t> numbers;
  std::vector<char> has_positive;
  std::vector<char> has_negative;
  for (std::size_t i = 0; i < first.label.size(); ++i) {
    const auto [place, added] = numbers.try_emplace(first.group[i], numbers.size());
    if (added) {
      has_positive.push_back(0);
      has_negative.push_back(0);
    }
    samples.patient.push_back(place->second);
    (first.label[i] != 0 ? has_positive : has_negative)[place->second] = 1;
  }
  samples.patients = numbers.size();
  const auto count = [](const std::vector<char>& flags) {
    return static_cast<std::size_t>(std::count(flags.begin(), flags.end(), 1));
  };
  samples.positive_patients = count(has_positive);
  samples.negative_patients = count(has_negative);
  return samples;
}

}  // namespace mpbench::stats
