#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::stats {
namespace {

std::vector<std::size_t> draw_with_replacement(std::mt19937_64& generator, std::size_t count) {
  std::vector<std::size_t> drawn(count);
  for (std::size_t& place : drawn) place = draw_below(generator, count);
  return drawn;
}

void check_sizes(const PairedPredictions& repeat) {
  const std::size_t n = repeat.label.size();
  if (repeat.group.size() != n || repeat.baseline_score.size() != n ||
      repeat.arm_score.size() != n || repeat.baseline_predicted.size() != n ||
      repeat.arm_predicted.size() != n) {
    throw Error("paired predictions of different lengths");
  }
}

/// The metric's difference on some of a repeat's rows.
class RepeatDelta {
 public:
  RepeatDelta(const PairedPredictions& repeat, const std::map<std::string, std::size_t>& groups,
              const Metric& metric)
      : repeat_(repeat), metric_(metric), rows_of_group_(groups.size()) {
    for (std::size_t row = 0; row < repeat.group.size(); ++row) {
      rows_of_group_[groups.at(repeat.group[row])].push_back(row);
    }
  }

  double operator()(std::span<const std::size_t> groups) {
    labels_.clear();
    for (Arm* arm : {&baseline_, &arm_}) {
      arm->scores.clear();
      arm->predicted.clear();
    }
    for (const std::size_t group : groups) {
      for (const std::size_t row : rows_of_group_[group]) {
        labels_.push_back(repeat_.label[row]);
        baseline_.scores.push_back(repeat_.baseline_score[row]);
        baseline_.predicted.push_back(repeat_.baseline_predicted[row]);
        arm_.scores.push_back(repeat_.arm_score[row]);
        arm_.predicted.push_back(repeat_.arm_predicted[row]);
      }
    }
    return metric_(arm_.scores, labels_, arm_.predicted) -
           metric_(baseline_.scores, labels_, baseline_.predicted);
  }

 private:
  struct Arm {
    std::vector<double> scores;
    std::vector<int> predicted;
  };
  const PairedPredictions& repeat_;
  const Metric& metric_;
  std::vector<std::vector<std::size_t>> rows_of_group_;
  std::vector<int> labels_;
  Arm baseline_;
  Arm arm_;
};

}  // namespace

BootstrapResult bootstrap_delta(std::span<const PairedPredictions> repeats, const Metric& metric,
                                const BootstrapOptions& options) {
  if (repeats.empty()) throw Error("a bootstrap of no repeats");
  if (!(options.confidence > 0 && options.confidence < 1) || options.resamples < 1) {
    throw UsageError("a bootstrap needs a confidence between 0 and 1 and at least one resample");
  }
  std::map<std::string, std::size_t> groups;
  for (const PairedPredictions& repeat : repeats) {
    check_sizes(repeat);
    for (const std::string& group : repeat.group) groups.emplace(group, 0);
  }
  std::vector<std::size_t> every_group;
  for (auto& [name, place] : groups) {
    place = every_group.size();
    every_group.push_back(place);
  }
  std::vector<RepeatDelta> deltas;
  for (const PairedPredictions& repeat : repeats) deltas.emplace_back(repeat, groups, metric);

  BootstrapResult result;
  result.groups = static_cast<int>(every_group.size());
  for (RepeatDelta& delta : deltas) {
    result.delta.value += delta(every_group) / static_cast<double>(repeats.size());
  }
  if (every_group.size() < 2) return result;

  std::mt19937_64 generator(options.seed);
  std::vector<double> resampled;
  for (int i = 0; i < options.resamples; ++i) {
    const auto drawn_groups = draw_with_replacement(generator, every_group.size());
    const auto drawn_repeats = draw_with_replacement(generator, repeats.size());
    double sum = 0;
    for (std::size_t repeat = 0; repeat < repeats.size(); ++repeat) {
      const auto times = std::count(drawn_repeats.begin(), drawn_repeats.end(), repeat);
      if (times > 0) sum += static_cast<double>(times) * deltas[repeat](drawn_groups);
    }
    if (std::isfinite(sum)) {
      resampled.push_back(sum / static_cast<double>(repeats.size()));
    } else {
      ++result.undefined;
    }
  }
  if (!std::isfinite(result.delta.value) || result.undefined * 2 > options.resamples) return result;
  result.delta.low = quantile(resampled, (1 - options.confidence) / 2);
  result.delta.high = quantile(resampled, (1 + options.confidence) / 2);
  return result;
}

}  // namespace mpbench::stats
