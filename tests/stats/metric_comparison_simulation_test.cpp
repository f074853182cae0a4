// How often the intervals of compare_metric() cover the truth, and how often an arm that loses
// exactly the margin is called non-inferior, in simulated experiments. docs/method.md has the table
// of 10,000 experiments a row: MPBENCH_EXPERIMENTS=10000.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "mpbench/core/random.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"
#include "mpbench/stats/metric_comparison.hpp"

namespace mpbench::stats {
namespace {

constexpr double baseline_auc = 0.85;
constexpr double margin = 0.01;
/// Of what is an arm's own in a score, the share of the variance that all its seeds have.
constexpr double shared_by_seeds = 0.3;

/// Standard normal numbers by Box and Muller's method, the same on every platform.
class Normal {
 public:
  explicit Normal(std::uint64_t seed) : random_(seed) {}
  double operator()() {
    if (has_other_) {
      has_other_ = false;
      return other_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    other_ = radius * std::sin(angle);
    has_other_ = true;
    return radius * std::cos(angle);
  }

 private:
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  SplitMix64 random_;
  double other_ = 0;
  bool has_other_ = false;
};

/// What the images of a set are like.
struct SimulatedSet {
  int patients = 0;
  int positive_patients = 0;
  int images = 1;         ///< a patient, half of them of the breast that may be positive
  double of_patient = 0;  ///< share of every variance that a patient's images have in common
};

/// What two arms are like. Scores are normal with a variance of 1, those of positives shifted by
/// sqrt(2) probit(AUC) (the binormal model); each training has an AUC of its own.
struct SimulatedArms {
  double seed_sd = 0;
  double score_correlation = 0.95;
  double loss = 0;
};

class Simulation {
 public:
  Simulation(const SimulatedSet& set, const SimulatedArms& arms, std::size_t seeds,
             std::uint64_t random_seed)
      : set_(set), arms_(arms), normal_(random_seed), seeds_(seeds, images_of(set)) {}

  /// New scores for all seeds.
  const std::vector<PairedPredictions>& draw() {
    const std::vector<double> of_both = noise(arms_.score_correlation);
    const double own = 1 - arms_.score_correlation;
    const std::vector<double> of_baseline = noise(own * shared_by_seeds);
    const std::vector<double> of_arm = noise(own * shared_by_seeds);
    for (PairedPredictions& seed : seeds_) {
      const std::vector<double> baseline = noise(own * (1 - shared_by_seeds));
      const std::vector<double> arm = noise(own * (1 - shared_by_seeds));
      const double baseline_shift = shift_of(baseline_auc);
      const double arm_shift = shift_of(baseline_auc - arms_.loss);
      for (std::size_t i = 0; i < of_both.size(); ++i) {
        seed.baseline_score[i] =
            of_both[i] + of_baseline[i] + baseline[i] + seed.label[i] * baseline_shift;
        seed.arm_score[i] = of_both[i] + of_arm[i] + arm[i] + seed.label[i] * arm_shift;
      }
    }
    return seeds_;
  }

 private:
  static PairedPredictions images_of(const SimulatedSet& set) {
    PairedPredictions rows;
    for (int patient = 0; patient < set.patients; ++patient) {
      for (int image = 0; image < set.images; ++image) {
        rows.group.push_back(std::to_string(patient));
        rows.label.push_back(patient < set.positive_patients && 2 * image < set.images);
      }
    }
    const std::size_t images = rows.label.size();
    rows.baseline_score.resize(images);
    rows.arm_score.resize(images);
    rows.baseline_predicted.resize(images);
    rows.arm_predicted.resize(images);
    return rows;
  }

  double shift_of(double auc) {
    const double of_training = auc + arms_.seed_sd * normal_();
    return std::numbers::sqrt2 * boost::math::quantile(boost::math::normal(), of_training);
  }

  std::vector<double> noise(double variance) {
    const double of_patients = std::sqrt(variance * set_.of_patient);
    const double of_images = std::sqrt(variance * (1 - set_.of_patient));
    std::vector<double> values;
    for (int patient = 0; patient < set_.patients; ++patient) {
      const double common = set_.of_patient > 0 ? of_patients * normal_() : 0;
      for (int image = 0; image < set_.images; ++image) {
        values.push_back(common + of_images * normal_());
      }
    }
    return values;
  }

  SimulatedSet set_;
  SimulatedArms arms_;
  Normal normal_;
  std::vector<PairedPredictions> seeds_;
};

bool covers(const MetricDifference& difference, double truth) {
  return difference.low && *difference.low <= truth && truth <= *difference.high;
}

bool is_called_non_inferior(const MetricDifference& difference) {
  const AccuracyVerdict verdict = accuracy_verdict(difference, margin, true);
  return verdict == AccuracyVerdict::non_inferior || verdict == AccuracyVerdict::equivalent;
}

int experiments_or(int number) {
  const char* given = std::getenv("MPBENCH_EXPERIMENTS");
  return given != nullptr ? std::atoi(given) : number;
}

/// Twice the standard error of a share, all in percent.
double chance(double percent, int experiments) {
  return 2 * std::sqrt(percent * (100 - percent) / experiments);
}

/// A row of the table.
struct Row {
  int patients;  ///< of whom 2 % are positive
  double seed_sd;
  double score_correlation;
  int experiments;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.patients << " patients, seeds " << row.seed_sd << ", correlation "
       << row.score_correlation;
}

class AucIntervalTest : public ::testing::TestWithParam<Row> {};

TEST_P(AucIntervalTest, CoversTheTruthAndSeldomErrsAtTheMargin) {
  constexpr std::size_t numbers_of_seeds[] = {1, 3, 5, 10};
  const Row& row = GetParam();
  const SimulatedSet set{.patients = row.patients, .positive_patients = row.patients / 50};
  Simulation simulation(
      set, {.seed_sd = row.seed_sd, .score_correlation = row.score_correlation, .loss = margin}, 10,
      20251127);
  const int experiments = experiments_or(row.experiments);
  double covered[4] = {};
  double wrong[4] = {};
  double proven[4] = {};
  for (int i = 0; i < experiments; ++i) {
    const auto& seeds = simulation.draw();
    for (std::size_t k = 0; k < 4; ++k) {
      const auto difference =
          compare_metric(std::span(seeds).first(numbers_of_seeds[k]), AccuracyMetric::auc);
      covered[k] += covers(*difference, -margin);
      wrong[k] += is_called_non_inferior(*difference);
      proven[k] += *difference->low > -2 * margin;  // as of arms that are alike, to a good degree
    }
  }
  for (std::size_t k = 0; k < 4; ++k) {
    const double percent = 100.0 / experiments;
    std::printf("| %.3f, %.2f, %d (%d) | %zu | %.1f | %.1f | %.0f |\n", row.seed_sd,
                row.score_correlation, row.patients, set.positive_patients, numbers_of_seeds[k],
                percent * covered[k], percent * wrong[k], percent * proven[k]);
    if (numbers_of_seeds[k] == 1) {
      EXPECT_EQ(wrong[k], 0);
      continue;
    }
    EXPECT_GE(percent * covered[k], 93 - chance(93, experiments)) << numbers_of_seeds[k];
    EXPECT_LE(percent * covered[k], 98 + chance(98, experiments)) << numbers_of_seeds[k];
    EXPECT_LE(percent * wrong[k], 4 + chance(4, experiments)) << numbers_of_seeds[k];
  }
}

INSTANTIATE_TEST_SUITE_P(Simulation, AucIntervalTest,
                         ::testing::Values(Row{600, 0.005, 0.95, 4000},
                                           Row{2000, 0.005, 0.95, 1200},
                                           Row{2000, 0.02, 0.95, 1200}));

/// Rows of the table that are left to MPBENCH_EXPERIMENTS.
INSTANTIATE_TEST_SUITE_P(OfTheTable, AucIntervalTest,
                         ::testing::Values(Row{600, 0.005, 0.8, 100}, Row{600, 0.02, 0.8, 100},
                                           Row{600, 0.02, 0.95, 100}, Row{2000, 0.005, 0.8, 100},
                                           Row{2000, 0.02, 0.8, 100}));

TEST(ClusteredIntervalTest, CoversWherePatientsHaveImagesOfBothClasses) {
  const SimulatedSet set{.patients = 300, .positive_patients = 30, .images = 8, .of_patient = 0.9};
  Simulation simulation(set, {.seed_sd = 0, .score_correlation = 0.9, .loss = 0}, 1, 7);
  constexpr int experiments = 1500;
  int covered = 0;
  int covered_by_images = 0;
  for (int i = 0; i < experiments; ++i) {
    std::vector<PairedPredictions> seeds = simulation.draw();
    covered += covers(*compare_metric(seeds, AccuracyMetric::auc), 0);
    for (PairedPredictions& seed : seeds) {
      for (std::size_t image = 0; image < seed.group.size(); ++image) {
        seed.group[image] = std::to_string(image);
      }
    }
    covered_by_images += covers(*compare_metric(seeds, AccuracyMetric::auc), 0);
  }
  std::printf(
      "eight images a patient, one seed: covers %.1f %%; as patients of their own %.1f %%\n",
      100.0 * covered / experiments, 100.0 * covered_by_images / experiments);
  EXPECT_GE(100.0 * covered / experiments, 93 - chance(93, experiments));
  EXPECT_LE(100.0 * covered / experiments, 98 + chance(98, experiments));
  EXPECT_LT(100.0 * covered_by_images / experiments, 85);
}

TEST(SensitivityIntervalTest, VarianceIsThatBetweenExperiments) {
  const SimulatedSet set{.patients = 2000, .positive_patients = 40};
  Simulation simulation(set, {.seed_sd = 0, .score_correlation = 0.9, .loss = 0}, 1, 11);
  constexpr int experiments = 1500;
  double estimated = 0;
  double squares = 0;
  for (int i = 0; i < experiments; ++i) {
    const auto difference =
        compare_metric(simulation.draw(), AccuracyMetric::sensitivity_at_90_specificity);
    estimated += difference->standard_error * difference->standard_error / experiments;
    squares += difference->delta * difference->delta / experiments;
  }
  std::printf("sensitivity: variance %.5f, estimated %.5f\n", squares, estimated);
  EXPECT_NEAR(estimated / squares, 1, 0.2);
}

}  // namespace
}  // namespace mpbench::stats
