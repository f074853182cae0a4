#include "../../src/bench/fold_comparison.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace mpbench::bench {
namespace {

using testing::IsEmpty;

Comparison row_of(const std::string& configuration, const std::string& arm, double delta) {
  Comparison row;
  row.configuration = configuration;
  row.arm = arm;
  row.compared_with = "fp32";
  row.metric = ComparedMetric::val_auc;
  row.metric_delta = delta;
  row.pairs = 3;
  return row;
}

std::vector<Comparison> rows_of(const std::vector<double>& deltas) {
  std::vector<Comparison> rows;
  for (std::size_t fold = 0; fold < deltas.size(); ++fold) {
    rows.push_back(row_of("cnn-fold" + std::to_string(fold), "bf16", deltas[fold]));
  }
  return rows;
}

/// As many patients of each class in every fold.
std::vector<MetricRecord> metrics_of(const std::vector<Comparison>& rows,
                                     std::int64_t patients = 10) {
  std::vector<MetricRecord> metrics;
  for (const Comparison& row : rows) {
    MetricRecord& metric = metrics.emplace_back();
    metric.configuration = row.configuration;
    metric.arm = row.arm;
    metric.compared_with = row.compared_with;
    metric.positive_patients = patients;
    metric.negative_patients = 50 * patients;
  }
  return metrics;
}

std::vector<Comparison> over_folds(const std::vector<Comparison>& rows, int folds) {
  return compare_over_folds(rows, metrics_of(rows), folds, {});
}

TEST(FoldComparisonTest, IsTheMeanWithAnIntervalThatAllowsForSharedTrainingSets) {
  const std::vector<double> deltas{0.001, -0.003, 0.002, -0.002, -0.003};
  const auto combined = over_folds(rows_of(deltas), 5);
  ASSERT_EQ(combined.size(), 1U);
  const Comparison& all = combined.front();
  EXPECT_EQ(all.configuration, "cnn-folds");
  EXPECT_EQ(all.arm, "bf16");
  EXPECT_NEAR(*all.metric_delta, -0.001, 1e-12);
  // By hand: s = 0.002345, t(0.975, 4) = 2.776, sqrt(1/5 + 1/4) = 0.6708.
  EXPECT_NEAR(*all.metric_delta_ci_high - *all.metric_delta, 2.776 * 0.002345 * 0.6708, 1e-5);
  EXPECT_EQ(all.accuracy_verdict, stats::AccuracyVerdict::equivalent);
}

TEST(FoldComparisonTest, JudgesAgainstTheMargin) {
  const auto verdict = [](const std::vector<double>& deltas) {
    return over_folds(rows_of(deltas), static_cast<int>(deltas.size())).front().accuracy_verdict;
  };
  EXPECT_EQ(verdict({-0.05, -0.051, -0.049, -0.05}), stats::AccuracyVerdict::inferior);
  EXPECT_EQ(verdict({0.05, 0.051, 0.049, 0.05}), stats::AccuracyVerdict::non_inferior);
  EXPECT_EQ(verdict({0.05, -0.05, 0.02, -0.03}), stats::AccuracyVerdict::inconclusive);
  EXPECT_EQ(verdict({0.001, 0.0011}), stats::AccuracyVerdict::inconclusive) << "two folds";
  EXPECT_EQ(verdict({0.001, 0.001, 0.001}), stats::AccuracyVerdict::inconclusive) << "no width";
}

TEST(FoldComparisonTest, TwoTrainingsAFoldCarryNoVerdict) {
  auto rows = rows_of({0.001, -0.001, 0.002, -0.002});
  rows[1].pairs = 2;
  EXPECT_EQ(over_folds(rows, 4).front().accuracy_verdict, stats::AccuracyVerdict::inconclusive);
}

TEST(FoldComparisonTest, TooFewPatientsInAllFoldsCarryNoVerdict) {
  const auto rows = rows_of({0.001, -0.001, 0.002, -0.002});
  EXPECT_EQ(compare_over_folds(rows, metrics_of(rows, 3), 4, {}).front().accuracy_verdict,
            stats::AccuracyVerdict::equivalent)
      << "twelve together";
  const Comparison few = compare_over_folds(rows, metrics_of(rows, 2), 4, {}).front();
  EXPECT_EQ(few.accuracy_verdict, stats::AccuracyVerdict::inconclusive);
  EXPECT_THAT(few.note, testing::HasSubstr("8 positive patients in all folds"));
  const Comparison unknown = compare_over_folds(rows, {}, 4, {}).front();
  EXPECT_EQ(unknown.accuracy_verdict, stats::AccuracyVerdict::inconclusive);
  EXPECT_THAT(unknown.note, testing::HasSubstr("predictions are missing"));
}

TEST(FoldComparisonTest, OfSeveralClassesNoneIsThePositiveOne) {
  auto rows = rows_of({0.001, -0.001, 0.002, -0.002});
  for (Comparison& row : rows) row.metric = ComparedMetric::val_accuracy;
  auto metrics = metrics_of(rows, 1);
  for (MetricRecord& metric : metrics) metric.patients = 51;
  EXPECT_EQ(compare_over_folds(rows, metrics, 4, {}).front().accuracy_verdict,
            stats::AccuracyVerdict::equivalent);
  for (MetricRecord& metric : metrics) metric.patients = 2;
  EXPECT_THAT(compare_over_folds(rows, metrics, 4, {}).front().note,
              testing::HasSubstr("8 patients in all folds"));
}

TEST(FoldComparisonTest, CombinesWhatDiffersInTheFoldAlone) {
  auto rows = rows_of({0, 0.001, 0.002});
  rows.push_back(row_of("cnn-fold0-lr0.1", "bf16", 0.5));
  rows.push_back(row_of("resnet18", "bf16", 0.5));
  rows.push_back(row_of("cnn-fold0", "null", 0.5));
  const auto combined = over_folds(rows, 3);
  ASSERT_EQ(combined.size(), 1U);
  EXPECT_NEAR(*combined.front().metric_delta, 0.001, 1e-12);
  EXPECT_THAT(over_folds({}, 3), IsEmpty());
}

}  // namespace
}  // namespace mpbench::bench
