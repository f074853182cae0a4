#include "../../src/stats/metric_sums.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

MetricSums sums_of(AccuracyMetric metric, const std::vector<JudgedSample>& samples) {
  MetricSums sums{};
  for (const JudgedSample& sample : samples) add_sample(metric, sums, sample);
  return sums;
}

const std::vector<JudgedSample> four_samples{{0.75, 1, 1}, {0.5, 0, 1}, {0.25, 0, 0}, {0.5, 1, 0}};

TEST(MetricSumsTest, GivesEachMetric) {
  const auto value = [](AccuracyMetric metric) {
    return value_of_sums(metric, sums_of(metric, four_samples));
  };
  EXPECT_DOUBLE_EQ(value(AccuracyMetric::accuracy), 0.5);
  // Precision 1.25/2, recall 1.25/2.
  EXPECT_DOUBLE_EQ(value(AccuracyMetric::pf1), 0.625);
  EXPECT_DOUBLE_EQ(value(AccuracyMetric::brier), (0.0625 + 0.25 + 0.0625 + 0.25) / 4);
  // The two of 0.5 make up for one another; the others are alone in their bins.
  EXPECT_DOUBLE_EQ(value(AccuracyMetric::ece), (0.25 + 0.25) / 4);
}

TEST(MetricSumsTest, SamplesCanBeTakenOut) {
  for (const AccuracyMetric metric : {AccuracyMetric::accuracy, AccuracyMetric::pf1,
                                      AccuracyMetric::brier, AccuracyMetric::ece}) {
    MetricSums rest = sums_of(metric, four_samples);
    const MetricSums gone = sums_of(metric, {four_samples[1]});
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= gone[i];
    EXPECT_DOUBLE_EQ(
        value_of_sums(metric, rest),
        value_of_sums(metric, sums_of(metric, {four_samples[0], four_samples[2], four_samples[3]})))
        << enum_name(metric);
  }
}

TEST(MetricSumsTest, ABinHasItsLowerEndAndTheLastHasBoth) {
  const auto bin = [](double probability) {
    const MetricSums sums = sums_of(AccuracyMetric::ece, {{probability, 2, 0}});
    for (std::size_t i = 0; i < calibration_bins; ++i) {
      if (sums[i] != 0) return i;
    }
    return calibration_bins;
  };
  EXPECT_EQ(bin(0), 0U);
  EXPECT_EQ(bin(0.0666), 0U);
  EXPECT_EQ(bin(0.2), 3U);
  EXPECT_EQ(bin(0.999), 14U);
  // A label of 1 would leave nothing in the bin of a probability of 1.
  const MetricSums certain = sums_of(AccuracyMetric::ece, {{1, 0, 0}});
  EXPECT_EQ(certain[14], 1);
}

TEST(MetricSumsTest, RefusesMetricsOfRanks) {
  MetricSums sums{};
  EXPECT_THROW(add_sample(AccuracyMetric::auc, sums, {}), Error);
  EXPECT_THROW(add_sample(AccuracyMetric::pr_auc, sums, {}), Error);
}

}  // namespace
}  // namespace mpbench::stats
