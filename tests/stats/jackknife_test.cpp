#include "../../src/stats/jackknife.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "mpbench/core/random.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::stats {
namespace {

/// Random images with many ties, one to four a patient, of either class.
struct Images {
  PairedSamples samples;
  std::vector<double> probability;
  std::vector<int> label;
  std::vector<int> predicted;

  explicit Images(std::uint64_t seed) {
    SplitMix64 random(seed);
    samples.patients = 40;
    for (std::size_t patient = 0; patient < samples.patients; ++patient) {
      for (std::uint64_t image = 0; image <= draw_below(random, 4); ++image) {
        samples.patient.push_back(patient);
        // Patients 0 and 1 have a positive, so that there is one left without either.
        label.push_back((patient < 2 && image == 0) || draw_below(random, 5) == 0);
        probability.push_back(static_cast<double>(draw_below(random, 41)) / 40);
        predicted.push_back(probability.back() >= 0.5);
      }
    }
  }

  Images without(std::size_t patient) const {
    Images rest = *this;
    const auto keep = [&](auto& values) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (samples.patient[i] != patient) values[kept++] = values[i];
      }
      values.resize(kept);
    };
    keep(rest.probability);
    keep(rest.label);
    keep(rest.predicted);
    return rest;
  }

  std::vector<JudgedSample> judged() const {
    std::vector<JudgedSample> all;
    for (std::size_t i = 0; i < label.size(); ++i) {
      all.push_back({probability[i], label[i], predicted[i]});
    }
    return all;
  }
};

double metric_of(AccuracyMetric metric, const Images& images) {
  switch (metric) {
    case AccuracyMetric::accuracy:
      return accuracy(images.predicted, images.label);
    case AccuracyMetric::pf1:
      return probabilistic_f1(images.probability, images.label);
    case AccuracyMetric::brier:
      return *brier_score(images.probability, images.label);
    case AccuracyMetric::ece:
      return *expected_calibration_error(images.probability, images.label);
    default:
      return *average_precision(images.probability, images.label);
  }
}

TEST(JackknifeTest, IsTheMetricOfTheOtherPatients) {
  for (const AccuracyMetric metric :
       {AccuracyMetric::accuracy, AccuracyMetric::pf1, AccuracyMetric::brier, AccuracyMetric::ece,
        AccuracyMetric::pr_auc}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const Images images(seed);
      const LeaveOneOut jackknife =
          metric == AccuracyMetric::pr_auc
              ? leave_one_out_precision(score_steps(images.probability, images.label), images.label,
                                        images.samples)
              : leave_one_out(metric, images.judged(), images.samples);
      EXPECT_NEAR(jackknife.value, metric_of(metric, images), 1e-14) << enum_name(metric);
      ASSERT_EQ(jackknife.without.size(), images.samples.patients);
      for (std::size_t patient = 0; patient < images.samples.patients; ++patient) {
        EXPECT_NEAR(jackknife.without[patient], metric_of(metric, images.without(patient)), 1e-13)
            << enum_name(metric) << " seed " << seed << " patient " << patient;
      }
    }
  }
}

TEST(JackknifeTest, CovarianceOfMeansIsTheSampleCovarianceOverTheirNumber) {
  // Means of 1, 2, 6 and of 2, 0, 1; without each of them in turn.
  const std::vector<LeaveOneOut> means{{3, {4, 3.5, 1.5}}, {1, {0.5, 1.5, 1}}};
  const CaseCovariance covariance = jackknife_covariance(means);
  EXPECT_NEAR(covariance.at(0, 0), 7.0 / 3, 1e-14);
  EXPECT_NEAR(covariance.at(1, 1), 1.0 / 3, 1e-14);
  // (-2 * 1 + -1 * -1 + 3 * 0) / 2 / 3
  EXPECT_NEAR(covariance.at(0, 1), -1.0 / 6, 1e-14);
  EXPECT_EQ(covariance.at(1, 0), covariance.at(0, 1));
}

TEST(JackknifeTest, SubtractsPatientByPatient) {
  const LeaveOneOut result = difference(LeaveOneOut{3, {1, 2}}, LeaveOneOut{1, {4, 2}});
  EXPECT_EQ(result.value, 2);
  EXPECT_EQ(result.without, (std::vector<double>{-3, 0}));
}

}  // namespace
}  // namespace mpbench::stats
