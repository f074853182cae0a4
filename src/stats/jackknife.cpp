#include "jackknife.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace mpbench::stats {
namespace {

/// The steps that have a positive: only they add to the average precision.
struct PositiveSteps {
  std::vector<std::size_t> step;
  std::vector<double> gained;          ///< positives at the step
  std::vector<double> true_positives;  ///< down to the step
  std::vector<double> taken;           ///< positives and negatives down to the step
  std::vector<double> sum_before;      ///< of gained * precision over the steps before
};

PositiveSteps positive_steps(const ScoreSteps& steps) {
  PositiveSteps kept;
  double sum = 0;
  for (std::size_t step = 0; step < steps.steps(); ++step) {
    const double gained = steps.positives_at(step);
    if (gained == 0) continue;
    const double taken = steps.true_positives[step] + steps.false_positives[step];
    kept.step.push_back(step);
    kept.gained.push_back(gained);
    kept.true_positives.push_back(steps.true_positives[step]);
    kept.taken.push_back(taken);
    kept.sum_before.push_back(sum);
    sum += gained * steps.true_positives[step] / taken;
  }
  return kept;
}

struct LeftOut {
  std::size_t step;
  bool positive;
  bool operator<(const LeftOut& other) const { return step < other.step; }
};

/// The average precision without these samples of one patient, in the order of their steps.
double precision_without(std::span<const LeftOut> left_out, const PositiveSteps& steps,
                         double positives) {
  const auto first = std::lower_bound(steps.step.begin(), steps.step.end(), left_out.front().step);
  auto place = static_cast<std::size_t>(first - steps.step.begin());
  double sum = place < steps.step.size()
                   ? steps.sum_before[place]
                   : steps.sum_before.back() +
                         steps.gained.back() * steps.true_positives.back() / steps.taken.back();
  double gone_positives = 0;
  double gone = 0;
  std::size_t next = 0;
  for (; place < steps.step.size(); ++place) {
    double gained = steps.gained[place];
    for (; next < left_out.size() && left_out[next].step <= steps.step[place]; ++next) {
      gone += 1;
      if (!left_out[next].positive) continue;
      gone_positives += 1;
      gained -= 1;  // a positive lies at a step that has one, so it is this one
    }
    if (gained == 0) continue;
    sum += gained * (steps.true_positives[place] - gone_positives) / (steps.taken[place] - gone);
  }
  return sum / (positives - gone_positives);
}

}  // namespace

LeaveOneOut leave_one_out(AccuracyMetric metric, std::span<const JudgedSample> judged,
                          const PairedSamples& samples) {
  MetricSums all{};
  std::vector<MetricSums> of_patient(samples.patients);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    add_sample(metric, all, judged[i]);
    add_sample(metric, of_patient[samples.patient[i]], judged[i]);
  }
  LeaveOneOut result{.value = value_of_sums(metric, all), .without = {}};
  for (const MetricSums& gone : of_patient) {
    MetricSums rest = all;
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= gone[i];
    result.without.push_back(value_of_sums(metric, rest));
  }
  return result;
}

LeaveOneOut leave_one_out_precision(const ScoreSteps& steps, std::span<const int> labels,
                                    const PairedSamples& samples) {
  std::vector<std::vector<LeftOut>> of_patient(samples.patients);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    of_patient[samples.patient[i]].push_back({steps.of_sample[i], labels[i] != 0});
  }
  const PositiveSteps kept = positive_steps(steps);
  LeaveOneOut result{.value = average_precision(steps), .without = {}};
  for (std::vector<LeftOut>& left_out : of_patient) {
    std::sort(left_out.begin(), left_out.end());
    result.without.push_back(precision_without(left_out, kept, steps.positives()));
  }
  return result;
}

LeaveOneOut difference(const LeaveOneOut& a, const LeaveOneOut& b) {
  LeaveOneOut result = a;
  result.value -= b.value;
  for (std::size_t i = 0; i < result.without.size(); ++i) result.without[i] -= b.without[i];
  return result;
}

CaseCovariance jackknife_covariance(std::span<const LeaveOneOut> differences) {
  std::vector<std::vector<double>> deviations;
  for (const LeaveOneOut& seed : differences) {
    std::vector<double>& of_seed = deviations.emplace_back(seed.without);
    const double mean =
        std::accumulate(of_seed.begin(), of_seed.end(), 0.0) / static_cast<double>(of_seed.size());
    for (double& value : of_seed) value -= mean;
  }
  CaseCovariance covariance(differences.size());
  for (std::size_t a = 0; a < deviations.size(); ++a) {
    const auto patients = static_cast<double>(deviations[a].size());
    for (std::size_t b = 0; b <= a; ++b) {
      covariance.at(a, b) = covariance.at(b, a) =
          (patients - 1) / patients *
          std::inner_product(deviations[a].begin(), deviations[a].end(), deviations[b].begin(),
                             0.0);
    }
  }
  return covariance;
}

}  // namespace mpbench::stats
