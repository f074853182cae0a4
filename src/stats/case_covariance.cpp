#include "case_covariance.hpp"

#include <algorithm>
#include <numeric>

namespace mpbench::stats {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// `of_sample` is what a sample adds, without the mean of its class.
template <class OfSample>
PatientParts sum_by_patient(double value, std::span<const int> labels, const PairedSamples& samples,
                            OfSample of_sample) {
  PatientParts parts{.value = value,
                     .positive = std::vector<double>(samples.patients),
                     .negative = std::vector<double>(samples.patients)};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    (labels[i] != 0 ? parts.positive : parts.negative)[samples.patient[i]] += of_sample(i);
  }
  return parts;
}

/// Specificity at which sensitivity is taken, and between which the slope of the ROC curve is.
constexpr double operating_specificity = 0.9;
constexpr double slope_begin = 0.95;
constexpr double slope_end = 0.85;

/// d sensitivity / d false positive rate around the operating point. The ends of the interval are
/// points of the curve that are at least 0.1 apart.
double roc_slope(const ScoreSteps& steps) {
  const double negatives = steps.negatives();
  const std::size_t begin = steps_at_specificity(steps, slope_begin);
  const auto end =
      std::find_if(steps.false_positives.begin(), steps.false_positives.end(),
                   [&](double taken) { return (negatives - taken) / negatives <= slope_end; });
  const auto last = static_cast<std::size_t>(end - steps.false_positives.begin());
  const double true_before = begin > 0 ? steps.true_positives[begin - 1] : 0;
  const double false_before = begin > 0 ? steps.false_positives[begin - 1] : 0;
  const double rise = (steps.true_positives[last] - true_before) / steps.positives();
  return rise / ((steps.false_positives[last] - false_before) / negatives);
}

}  // namespace

double CaseCovariance::between_seeds() const {
  double sum = 0;
  for (std::size_t a = 0; a < seeds_; ++a) {
    for (std::size_t b = 0; b < a; ++b) sum += at(a, b);
  }
  return sum / (static_cast<double>(seeds_ * (seeds_ - 1)) / 2);
}

PatientParts auc_parts(const ScoreSteps& steps, std::span<const int> labels,
                       const PairedSamples& samples) {
  const double positives = steps.positives();
  const double negatives = steps.negatives();
  // Counts and halves add up exactly, so this is stats::auc to the last bit.
  double pairs_in_order = 0;
  for (std::size_t step = 0; step < steps.steps(); ++step) {
    const double below = negatives - steps.false_positives[step] + steps.negatives_at(step) / 2;
    pairs_in_order += steps.positives_at(step) * below;
  }
  const double auc = pairs_in_order / (positives * negatives);
  return sum_by_patient(auc, labels, samples, [&](std::size_t sample) {
    const std::size_t step = steps.of_sample[sample];
    if (labels[sample] != 0) {
      const double below = negatives - steps.false_positives[step] + steps.negatives_at(step) / 2;
      return below / negatives - auc;
    }
    const double above = steps.true_positives[step] - steps.positives_at(step) / 2;
    return above / positives - auc;
  });
}

PatientParts sensitivity_parts(const ScoreSteps& steps, std::span<const int> labels,
                               const PairedSamples& samples) {
  const std::size_t taken = steps_at_specificity(steps, operating_specificity);
  const double sensitivity = taken > 0 ? steps.true_positives[taken - 1] / steps.positives() : 0;
  const double false_share = taken > 0 ? steps.false_positives[taken - 1] / steps.negatives() : 0;
  const double slope = roc_slope(steps);
  return sum_by_patient(sensitivity, labels, samples, [&](std::size_t sample) {
    const double above = steps.of_sample[sample] < taken ? 1 : 0;
    return labels[sample] != 0 ? above - sensitivity : -slope * (above - false_share);
  });
}

PatientParts difference(const PatientParts& a, const PatientParts& b) {
  PatientParts parts = a;
  parts.value -= b.value;
  for (std::size_t i = 0; i < parts.positive.size(); ++i) {
    parts.positive[i] -= b.positive[i];
    parts.negative[i] -= b.negative[i];
  }
  return parts;
}

CaseCovariance clustered_covariance(std::span<const PatientParts> parts,
                                    std::span<const int> labels, const PairedSamples& samples) {
  const auto negatives = static_cast<double>(std::count(labels.begin(), labels.end(), 0));
  const double positives = static_cast<double>(labels.size()) - negatives;
  // Sample variances of the patients' sums, over the numbers of their samples.
  const auto unbiased = [](std::size_t patients) {
    return static_cast<double>(patients) / static_cast<double>(patients - 1);
  };
  const double of_positives = unbiased(samples.positive_patients) / (positives * positives);
  const double of_negatives = unbiased(samples.negative_patients) / (negatives * negatives);
  const double of_both = unbiased(samples.patients) / (positives * negatives);
  CaseCovariance covariance(parts.size());
  for (std::size_t a = 0; a < parts.size(); ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      covariance.at(a, b) = covariance.at(b, a) =
          of_positives * dot(parts[a].positive, parts[b].positive) +
          of_negatives * dot(parts[a].negative, parts[b].negative) +
          of_both * (dot(parts[a].positive, parts[b].negative) +
                     dot(parts[a].negative, parts[b].positive));
    }
  }
  return covariance;
}

}  // namespace mpbench::stats
