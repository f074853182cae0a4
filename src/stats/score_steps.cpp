#include "score_steps.hpp"

#include <algorithm>
#include <utility>

namespace mpbench::stats {

ScoreSteps score_steps(std::span<const double> scores, std::span<const int> labels) {
  std::vector<std::pair<double, std::size_t>> falling;
  falling.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) falling.emplace_back(scores[i], i);
  std::sort(falling.begin(), falling.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  ScoreSteps steps;
  steps.of_sample.resize(scores.size());
  double true_positives = 0;
  double false_positives = 0;
  for (std::size_t first = 0; first < falling.size();) {
    const double score = falling[first].first;
    for (; first < falling.size() && falling[first].first == score; ++first) {
      const std::size_t sample = falling[first].second;
      steps.of_sample[sample] = steps.steps();
      (labels[sample] != 0 ? true_positives : false_positives) += 1;
    }
    steps.true_positives.push_back(true_positives);
    steps.false_positives.push_back(false_positives);
  }
  return steps;
}

std::size_t steps_at_specificity(const ScoreSteps& steps, double specificity) {
  const double negatives = steps.negatives();
  const auto too_many =
      std::find_if(steps.false_positives.begin(), steps.false_positives.end(),
                   [&](double taken) { return (negatives - taken) / negatives < specificity; });
  return static_cast<std::size_t>(too_many - steps.false_positives.begin());
}

double average_precision(const ScoreSteps& steps) {
  double sum = 0;
  for (std::size_t step = 0; step < steps.steps(); ++step) {
    const double gained = steps.positives_at(step);
    if (gained == 0) continue;
    const double taken = steps.true_positives[step] + steps.false_positives[step];
    sum += gained * steps.true_positives[step] / taken;
  }
  return sum / steps.positives();
}

}  // namespace mpbench::stats
