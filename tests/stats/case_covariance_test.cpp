#include "../../src/stats/case_covariance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "mpbench/stats/metrics.hpp"

namespace mpbench::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

PairedSamples samples_of(std::vector<std::size_t> patient, std::size_t patients,
                         std::size_t positive_patients, std::size_t negative_patients) {
  return {.patient = std::move(patient),
          .patients = patients,
          .positive_patients = positive_patients,
          .negative_patients = negative_patients};
}

PatientParts auc_of(const std::vector<double>& scores, const std::vector<int>& labels,
                    const PairedSamples& samples) {
  return auc_parts(score_steps(scores, labels), labels, samples);
}

/// Three positives and two negatives, a patient each.
const std::vector<int> five_labels{1, 1, 1, 0, 0};
const PairedSamples five_patients = samples_of({0, 1, 2, 3, 4}, 5, 3, 2);

TEST(CaseCovarianceTest, PlacementsAreSharesBelowAndAboveLessTheAuc) {
  // The positive of 1.5 is above one of two negatives, the one of 2 above one and beside one.
  const PatientParts parts = auc_of({1.5, 2, 5, 1, 2}, five_labels, five_patients);
  EXPECT_DOUBLE_EQ(parts.value, (0.5 + 0.75 + 1) / 3);
  EXPECT_THAT(parts.positive, Pointwise(DoubleNear(1e-15), {-0.25, 0.0, 0.25, 0.0, 0.0}));
  EXPECT_THAT(parts.negative, Pointwise(DoubleNear(1e-15), {0.0, 0.0, 0.0, 0.25, -0.25}));
}

TEST(CaseCovarianceTest, AucIsThatOfTheMetricToTheLastBit) {
  std::vector<double> scores;
  std::vector<int> labels;
  for (int i = 0; i < 997; ++i) {
    scores.push_back(i * 571 % 301 / 7.0);
    labels.push_back(i % 13 == 0);
  }
  std::vector<std::size_t> patient(scores.size());
  std::iota(patient.begin(), patient.end(), std::size_t{0});
  EXPECT_EQ(auc_of(scores, labels, samples_of(patient, 997, 77, 920)).value, auc(scores, labels));
}

TEST(CaseCovarianceTest, IsDeLongsOfIndependentPatients) {
  // Worked by hand. The baseline is perfect. Differences of the placements, seed one: positives
  // -1/2, 0, 0 and negatives 0, -1/3; seed two: positives 0, -1, 0 and negatives -1/3, -1/3.
  const PatientParts perfect = auc_of({3, 4, 5, 1, 2}, five_labels, five_patients);
  const std::vector<PatientParts> seeds{
      difference(auc_of({1.5, 4, 5, 1, 2}, five_labels, five_patients), perfect),
      difference(auc_of({3, 0.5, 5, 1, 2}, five_labels, five_patients), perfect)};
  EXPECT_DOUBLE_EQ(seeds[0].value, -1.0 / 6);
  EXPECT_DOUBLE_EQ(seeds[1].value, -1.0 / 3);
  const CaseCovariance covariance = clustered_covariance(seeds, five_labels, five_patients);
  EXPECT_NEAR(covariance.at(0, 0), 1.0 / 12 / 3 + 1.0 / 18 / 2, 1e-15);
  EXPECT_NEAR(covariance.at(1, 1), 1.0 / 3 / 3, 1e-15);
  EXPECT_NEAR(covariance.at(0, 1), -1.0 / 12 / 3, 1e-15);
  EXPECT_EQ(covariance.at(0, 1), covariance.at(1, 0));
  EXPECT_EQ(covariance.between_seeds(), covariance.at(0, 1));
}

TEST(CaseCovarianceTest, APatientWithBothClassesIsOneCluster) {
  // Two patients with a positive and a negative each. In the baseline the first one's positive
  // (3) is below its negative (4); the arm is perfect. Differences less their means: positives
  // 1/4, -1/4, negatives 1/4, -1/4. 2/(2 - 1)/(2 * 2) * (1/8 + 1/8 + 2 * 1/8) = 1/4.
  const std::vector<int> labels{1, 0, 1, 0};
  const PairedSamples two = samples_of({0, 0, 1, 1}, 2, 2, 2);
  const std::vector<PatientParts> seeds{
      difference(auc_of({6, 4, 5, 1}, labels, two), auc_of({3, 4, 5, 1}, labels, two))};
  EXPECT_DOUBLE_EQ(clustered_covariance(seeds, labels, two).at(0, 0), 0.25);
  // As four patients: 2/(2 - 1)/(2 * 2) * (1/8 + 1/8) = 1/8.
  const PairedSamples four = samples_of({0, 1, 2, 3}, 4, 2, 2);
  const std::vector<PatientParts> apart{
      difference(auc_of({6, 4, 5, 1}, labels, four), auc_of({3, 4, 5, 1}, labels, four))};
  EXPECT_DOUBLE_EQ(clustered_covariance(apart, labels, four).at(0, 0), 0.125);
}

TEST(CaseCovarianceTest, CopiesOfAPatientsImagesChangeNothing) {
  const std::vector<int> doubled{1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  const PairedSamples two_each = samples_of({0, 0, 1, 1, 2, 2, 3, 3, 4, 4}, 5, 3, 2);
  const std::vector<PatientParts> once{auc_of({1.5, 2, 5, 1, 2}, five_labels, five_patients)};
  const std::vector<PatientParts> twice{
      auc_of({1.5, 1.5, 2, 2, 5, 5, 1, 1, 2, 2}, doubled, two_each)};
  EXPECT_NEAR(clustered_covariance(twice, doubled, two_each).at(0, 0),
              clustered_covariance(once, five_labels, five_patients).at(0, 0), 1e-15);
}

TEST(CaseCovarianceTest, ANegativeMovesTheThresholdOfASensitivity) {
  // Negatives 1 ... 10. The threshold of 90 % specificity is 9.5. The slope goes from the point
  // after 11, (0, 1/4), to that after 9, (2/10, 3/4): 2.5.
  std::vector<double> scores{9.5, 3, 11, 9};
  std::vector<int> labels{1, 1, 1, 1};
  std::vector<std::size_t> patient{0, 0, 1, 2};
  for (int score = 1; score <= 10; ++score) {
    scores.push_back(score);
    labels.push_back(0);
    patient.push_back(score == 10 ? 0 : 3);
  }
  const PatientParts parts =
      sensitivity_parts(score_steps(scores, labels), labels, samples_of(patient, 4, 3, 2));
  EXPECT_DOUBLE_EQ(parts.value, 0.5);
  EXPECT_THAT(parts.positive, ElementsAre(0, 0.5, -0.5, 0));
  EXPECT_THAT(parts.negative, Pointwise(DoubleNear(1e-14), {-2.5 * 0.9, 0.0, 0.0, 2.5 * 0.9}));
}

TEST(CaseCovarianceTest, ASensitivityOfTiedScoresHasASlope) {
  const std::vector<int> labels{1, 1, 0, 0};
  const PairedSamples four = samples_of({0, 1, 2, 3}, 4, 2, 2);
  const auto parts =
      sensitivity_parts(score_steps(std::vector<double>(4, 1.0), labels), labels, four);
  EXPECT_EQ(parts.value, 0);
  EXPECT_THAT(parts.positive, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(parts.negative, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace mpbench::stats
