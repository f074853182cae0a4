#include "mpbench/stats/metric_comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::stats {
namespace {

using Seeds = std::vector<PairedPredictions>;

/// One image a patient.
PairedPredictions one_image_each(const std::vector<int>& labels,
                                 const std::vector<double>& baseline,
                                 const std::vector<double>& arm) {
  PairedPredictions rows{.group = {},
                         .label = labels,
                         .baseline_score = baseline,
                         .arm_score = arm,
                         .baseline_predicted = {},
                         .arm_predicted = {}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows.group.push_back("patient-" + std::to_string(i));
    rows.baseline_predicted.push_back(baseline[i] >= 0.5);
    rows.arm_predicted.push_back(arm[i] >= 0.5);
  }
  return rows;
}

/// Three positives, three negatives.
const std::vector<int> six_cases{1, 1, 1, 0, 0, 0};
const std::vector<double> in_order{3, 4, 5, 1, 2, 0.5};

TEST(MetricComparisonTest, AddsTheSeedsVarianceAndThePatientsCovariance) {
  // By hand. The baseline is perfect. Placements of the arms less those of the baseline, in ninths
  // and less their means: positives (-2, 1, 1) and (1, -5, 4), negatives (1, -2, 1) twice.
  // C = (-3/81 + 6/81) / 2 / 3 = 2/324. Differences -1/9 and -4/9: S^2 / 2 = 1/18 / 2 = 9/324.
  const Seeds seeds{one_image_each(six_cases, in_order, {1.5, 4, 5, 1, 2, 0.5}),
                    one_image_each(six_cases, in_order, {1.5, 0.1, 5, 1, 2, 0.5})};
  const auto difference = compare_metric(seeds, AccuracyMetric::auc, 0.95);
  ASSERT_TRUE(difference.has_value());
  EXPECT_DOUBLE_EQ(difference->baseline, 1);
  EXPECT_DOUBLE_EQ(difference->arm, 13.0 / 18);
  EXPECT_DOUBLE_EQ(difference->delta, -5.0 / 18);
  EXPECT_NEAR(difference->seed_sd, std::sqrt(1.0 / 18), 1e-15);
  EXPECT_NEAR(difference->standard_error, std::sqrt(11.0) / 18, 1e-15);
  // 1 / ((9/11)^2 / (2 - 1) + (2/11)^2 / (3 - 1)); t(0.975) with so many by SciPy.
  EXPECT_NEAR(difference->degrees_of_freedom, 121.0 / 83, 1e-14);
  const double half_width = 6.266550554181 * std::sqrt(11.0) / 18;
  EXPECT_NEAR(*difference->low, -5.0 / 18 - half_width, 1e-9);
  EXPECT_NEAR(*difference->high, -5.0 / 18 + half_width, 1e-9);
  EXPECT_EQ(difference->seeds, 2);
  EXPECT_EQ(difference->patients, 6);
  EXPECT_EQ(difference->positive_patients, 3);
  EXPECT_EQ(difference->negative_patients, 3);
  EXPECT_EQ(difference->classes, 2);
}

TEST(MetricComparisonTest, ANegativeCovarianceCountsAsNone) {
  // As above, but positives (-2, 1, 1) and (3, -6, 3), negatives (1, -2, 1) and 0.
  const Seeds seeds{one_image_each(six_cases, in_order, {1.5, 4, 5, 1, 2, 0.5}),
                    one_image_each(six_cases, in_order, {3, 0.1, 5, 1, 2, 0.5})};
  const auto difference = compare_metric(seeds, AccuracyMetric::auc, 0.9);
  // Differences -1/9 and -1/3: S^2 / 2 = (2/9)^2 / 2 / 2.
  EXPECT_NEAR(difference->standard_error, 1.0 / 9, 1e-15);
  EXPECT_NEAR(difference->degrees_of_freedom, 1, 1e-14);
  // t(0.95, 1) = tan(0.45 pi).
  EXPECT_NEAR(*difference->high, -2.0 / 9 + std::tan(M_PI * 0.45) / 9, 1e-12);
}

TEST(MetricComparisonTest, OneSeedIsJudgedByItsPatientsAlone) {
  const Seeds one{one_image_each(six_cases, in_order, {1.5, 4, 5, 1, 2, 0.5})};
  const auto difference = compare_metric(one, AccuracyMetric::auc, 0.95);
  // C_11 = (6/81 + 6/81) / 2 / 3; three patients of each class.
  EXPECT_NEAR(difference->standard_error, std::sqrt(2.0) / 9, 1e-15);
  EXPECT_EQ(difference->degrees_of_freedom, 2);
  EXPECT_EQ(difference->seed_sd, 0);
  EXPECT_EQ(difference->seeds, 1);
}

/// `patients` patients of whom every fourth is positive; the scores are random, and the arm's those
/// of the baseline and something of its own.
Seeds random_seeds(int count, int patients, int images, double own, std::uint64_t seed) {
  SplitMix64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  PairedPredictions samples;
  std::vector<double> shared;
  std::vector<double> of_arm;
  for (int i = 0; i < patients * images; ++i) {
    samples.group.push_back("p" + std::to_string(i / images));
    samples.label.push_back(i / images % 4 == 0);
    shared.push_back(uniform() + 0.3 * samples.label.back());
    of_arm.push_back(uniform());
  }
  Seeds seeds(static_cast<std::size_t>(count), samples);
  for (PairedPredictions& each : seeds) {
    for (std::size_t i = 0; i < shared.size(); ++i) {
      const double baseline = (shared[i] + 0.05 * uniform()) / 1.4;
      const double arm = (shared[i] + own * (of_arm[i] - 0.5) + 0.05 * uniform()) / 1.4;
      each.baseline_score.push_back(std::clamp(baseline, 0.0, 1.0));
      each.arm_score.push_back(std::clamp(arm, 0.0, 1.0));
      each.baseline_predicted.push_back(baseline >= 0.5);
      each.arm_predicted.push_back(arm >= 0.5);
    }
  }
  return seeds;
}

constexpr AccuracyMetric all_metrics[] = {AccuracyMetric::auc,
                                          AccuracyMetric::accuracy,
                                          AccuracyMetric::pf1,
                                          AccuracyMetric::pr_auc,
                                          AccuracyMetric::brier,
                                          AccuracyMetric::ece,
                                          AccuracyMetric::sensitivity_at_90_specificity};

TEST(MetricComparisonTest, DegreesOfFreedomAreBoundedByTheSeeds) {
  // The arm's own scores are the same for all seeds, so that nearly all of the variance is C.
  const Seeds seeds = random_seeds(4, 400, 1, 0.5, 1);
  for (const AccuracyMetric metric : all_metrics) {
    const auto difference = compare_metric(seeds, metric, 0.95);
    EXPECT_DOUBLE_EQ(difference->degrees_of_freedom, 6) << enum_name(metric);
  }
}

TEST(MetricComparisonTest, DegreesOfFreedomAreBoundedByThePatients) {
  const Seeds seeds = random_seeds(12, 40, 1, 0.5, 10);
  EXPECT_DOUBLE_EQ(compare_metric(seeds, AccuracyMetric::auc)->degrees_of_freedom, 9);
  EXPECT_DOUBLE_EQ(compare_metric(seeds, AccuracyMetric::brier)->degrees_of_freedom, 22);
}

TEST(MetricComparisonTest, DegreesOfFreedomOfOneSeedAreThoseOfThePatientsThatMatter) {
  const Seeds one = random_seeds(1, 40, 2, 0.5, 2);
  EXPECT_EQ(compare_metric(one, AccuracyMetric::pf1)->degrees_of_freedom, 9);
  EXPECT_EQ(compare_metric(one, AccuracyMetric::pr_auc)->degrees_of_freedom, 9);
  EXPECT_EQ(compare_metric(one, AccuracyMetric::accuracy)->degrees_of_freedom, 39);
  EXPECT_EQ(compare_metric(one, AccuracyMetric::brier)->degrees_of_freedom, 39);
}

TEST(MetricComparisonTest, ValuesAreThoseOfTheMetrics) {
  const Seeds seeds = random_seeds(3, 60, 3, 0.5, 3);
  const auto expect = [&](AccuracyMetric metric, const auto& value) {
    double baseline = 0;
    double arm = 0;
    for (const PairedPredictions& seed : seeds) {
      baseline += value(seed.baseline_score, seed.label) / 3;
      arm += value(seed.arm_score, seed.label) / 3;
    }
    const auto difference = compare_metric(seeds, metric);
    EXPECT_NEAR(difference->baseline, baseline, 1e-14) << enum_name(metric);
    EXPECT_NEAR(difference->arm, arm, 1e-14) << enum_name(metric);
    EXPECT_NEAR(difference->delta, arm - baseline, 1e-14) << enum_name(metric);
  };
  expect(AccuracyMetric::auc, auc);
  expect(AccuracyMetric::pf1, probabilistic_f1);
  expect(AccuracyMetric::pr_auc,
         [](const auto& s, const auto& l) { return *average_precision(s, l); });
  expect(AccuracyMetric::brier, [](const auto& s, const auto& l) { return *brier_score(s, l); });
  expect(AccuracyMetric::ece,
         [](const auto& s, const auto& l) { return *expected_calibration_error(s, l); });
  expect(AccuracyMetric::sensitivity_at_90_specificity,
         [](const auto& s, const auto& l) { return *sensitivity_at_specificity(s, l, 0.9); });
}

TEST(MetricComparisonTest, AccuracyTakesManyClasses) {
  // Three patients, of whom the arm gets the last one wrong: differences 0, 0, -1.
  PairedPredictions rows = one_image_each({0, 2, 1}, {0, 0, 0}, {0, 0, 0});
  rows.baseline_predicted = {0, 2, 1};
  rows.arm_predicted = {0, 2, 2};
  const auto difference = compare_metric(Seeds{rows}, AccuracyMetric::accuracy);
  ASSERT_TRUE(difference.has_value());
  EXPECT_DOUBLE_EQ(difference->delta, -1.0 / 3);
  EXPECT_NEAR(difference->standard_error, 1.0 / 3, 1e-15);
  EXPECT_EQ(difference->classes, 3);
  for (const AccuracyMetric metric : all_metrics) {
    if (metric == AccuracyMetric::accuracy) continue;
    EXPECT_FALSE(compare_metric(Seeds{rows}, metric).has_value()) << enum_name(metric);
  }
}

TEST(MetricComparisonTest, RanksScoresAndTakesProbabilitiesWhereTheyAreGiven) {
  Seeds by_probability = random_seeds(3, 40, 1, 0.5, 4);
  Seeds by_logit = by_probability;
  for (PairedPredictions& seed : by_logit) {
    seed.baseline_probability = seed.baseline_score;
    seed.arm_probability = seed.arm_score;
    for (double& score : seed.baseline_score) score = std::log(score / (1 - score));
    for (double& score : seed.arm_score) score = std::log(score / (1 - score));
  }
  for (const AccuracyMetric metric : all_metrics) {
    const auto expected = compare_metric(by_probability, metric);
    const auto difference = compare_metric(by_logit, metric);
    EXPECT_EQ(difference->delta, expected->delta) << enum_name(metric);
    EXPECT_EQ(difference->low, expected->low) << enum_name(metric);
  }
  for (PairedPredictions& seed : by_logit) seed.arm_probability.clear();
  EXPECT_TRUE(compare_metric(by_logit, AccuracyMetric::auc).has_value());
  EXPECT_THROW((void)compare_metric(by_logit, AccuracyMetric::brier), Error);
  EXPECT_THROW((void)compare_metric(by_logit, AccuracyMetric::pf1), Error);
}

TEST(MetricComparisonTest, NothingOfOneClassWhereTheMetricNeedsTwo) {
  const Seeds positive{one_image_each({1, 1, 1}, {0.2, 0.4, 0.9}, {0.3, 0.6, 0.9})};
  const Seeds negative{one_image_each({0, 0, 0}, {0.2, 0.4, 0.9}, {0.3, 0.6, 0.9})};
  for (const AccuracyMetric metric : {AccuracyMetric::auc, AccuracyMetric::pr_auc,
                                      AccuracyMetric::sensitivity_at_90_specificity}) {
    EXPECT_FALSE(compare_metric(positive, metric).has_value()) << enum_name(metric);
    EXPECT_FALSE(compare_metric(negative, metric).has_value()) << enum_name(metric);
  }
  EXPECT_FALSE(compare_metric(negative, AccuracyMetric::pf1).has_value());
  for (const AccuracyMetric metric :
       {AccuracyMetric::accuracy, AccuracyMetric::brier, AccuracyMetric::ece}) {
    EXPECT_TRUE(compare_metric(negative, metric)->low.has_value()) << enum_name(metric);
  }
}

TEST(MetricComparisonTest, NothingOfScoresThatAreNoNumbers) {
  Seeds seeds = random_seeds(2, 40, 1, 0.5, 5);
  seeds[1].arm_score[7] = std::nan("");
  for (const AccuracyMetric metric : all_metrics) {
    EXPECT_EQ(compare_metric(seeds, metric).has_value(), metric == AccuracyMetric::accuracy);
  }
  seeds[1].arm_score[7] = INFINITY;
  EXPECT_TRUE(compare_metric(seeds, AccuracyMetric::auc)->low.has_value());
}

TEST(MetricComparisonTest, NoIntervalOfOnePatientWithAClass) {
  const Seeds seeds{one_image_each({1, 0, 0}, {0.2, 0.4, 0.9}, {0.3, 0.1, 0.9})};
  for (const AccuracyMetric metric :
       {AccuracyMetric::auc, AccuracyMetric::pr_auc, AccuracyMetric::pf1,
        AccuracyMetric::sensitivity_at_90_specificity}) {
    const auto difference = compare_metric(seeds, metric);
    ASSERT_TRUE(difference.has_value()) << enum_name(metric);
    EXPECT_FALSE(difference->low.has_value()) << enum_name(metric);
    EXPECT_FALSE(difference->high.has_value()) << enum_name(metric);
    EXPECT_EQ(difference->standard_error, 0) << enum_name(metric);
    EXPECT_EQ(difference->degrees_of_freedom, 0) << enum_name(metric);
  }
  PairedPredictions one_patient = seeds.front();
  one_patient.group.assign(3, "the same");
  EXPECT_FALSE(compare_metric(Seeds{one_patient}, AccuracyMetric::accuracy)->low.has_value());
}

TEST(MetricComparisonTest, NoIntervalOfArmsThatAgreeToTheLastBit) {
  Seeds seeds = random_seeds(3, 40, 1, 0.5, 6);
  for (PairedPredictions& seed : seeds) {
    seed.arm_score = seed.baseline_score;
    seed.arm_predicted = seed.baseline_predicted;
  }
  for (const AccuracyMetric metric : all_metrics) {
    const auto difference = compare_metric(seeds, metric);
    EXPECT_EQ(difference->delta, 0) << enum_name(metric);
    EXPECT_FALSE(difference->low.has_value()) << enum_name(metric);
  }
}

// On a CPU the repeats of one seed are; there is no verdict without a deviation over seeds.
TEST(MetricComparisonTest, ATrainingThatIsRepeatedHasNoDeviationOverSeeds) {
  const Seeds once = random_seeds(1, 50, 1, 0.5, 9);
  const Seeds seeds(7, once.front());
  for (const AccuracyMetric metric : all_metrics) {
    const auto difference = compare_metric(seeds, metric);
    EXPECT_EQ(difference->seed_sd, 0) << enum_name(metric);
    EXPECT_NEAR(difference->standard_error, compare_metric(once, metric)->standard_error, 1e-14);
    EXPECT_EQ(accuracy_verdict(*difference, 0.9, true), AccuracyVerdict::inconclusive);
  }
}

TEST(MetricComparisonTest, RefusesWhatItCannotCompare) {
  Seeds seeds = random_seeds(2, 10, 1, 0.5, 7);
  for (const double confidence : {0.0, 1.0, std::nan("")}) {
    EXPECT_THROW((void)compare_metric(seeds, AccuracyMetric::auc, confidence), UsageError);
  }
  EXPECT_THROW((void)compare_metric(Seeds{}, AccuracyMetric::auc), Error);
  std::swap(seeds[1].label[0], seeds[1].label[1]);
  EXPECT_THROW((void)compare_metric(seeds, AccuracyMetric::auc), Error);
}

TEST(MetricComparisonTest, LessIsBetterOfErrorsAlone) {
  EXPECT_FALSE(higher_is_better(AccuracyMetric::brier));
  EXPECT_FALSE(higher_is_better(AccuracyMetric::ece));
  EXPECT_TRUE(higher_is_better(AccuracyMetric::auc));
  EXPECT_TRUE(higher_is_better(AccuracyMetric::sensitivity_at_90_specificity));
}

// RSNA's validation set: 2,400 patients. Milliseconds where this is written; the bound is only
// there to catch a change that makes it quadratic.
TEST(MetricComparisonTest, TakesThousandsOfPatients) {
  const Seeds seeds = random_seeds(5, 2400, 5, 0.5, 8);
  const auto begin = std::chrono::steady_clock::now();
  for (const AccuracyMetric metric : all_metrics) {
    const auto metric_begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(compare_metric(seeds, metric)->low.has_value());
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - metric_begin;
    std::printf("%-30s %7.1f ms\n", std::string(enum_name(metric)).c_str(), taken.count());
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  std::printf("all, 5 seeds, 2,400 patients, 12,000 images: %.2f s\n", taken.count());
  EXPECT_LT(taken.count(), 30);
}

}  // namespace
}  // namespace mpbench::stats
