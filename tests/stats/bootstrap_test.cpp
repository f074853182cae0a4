#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/statistics.hpp"
#include "support/share_right.hpp"

namespace mpbench::stats {
namespace {

/// `groups` patients of `images` images; the arm errs on every image of the first `wrong` patients.
PairedPredictions make_predictions(int groups, int images, int wrong) {
  PairedPredictions rows;
  for (int group = 0; group < groups; ++group) {
    for (int image = 0; image < images; ++image) {
      rows.group.push_back("patient-" + std::to_string(group));
      rows.label.push_back(1);
      rows.baseline_score.push_back(1);
      rows.baseline_predicted.push_back(1);
      rows.arm_score.push_back(group < wrong ? 0 : 1);
      rows.arm_predicted.push_back(group < wrong ? 0 : 1);
    }
  }
  return rows;
}

TEST(BootstrapTest, SameSeedSameInterval) {
  const std::vector<PairedPredictions> repeats{make_predictions(50, 2, 10)};
  const auto first = bootstrap_delta(repeats, share_right, {.seed = 7});
  const auto again = bootstrap_delta(repeats, share_right, {.seed = 7});
  const auto other = bootstrap_delta(repeats, share_right, {.resamples = 50, .seed = 8});
  EXPECT_DOUBLE_EQ(first.delta.value, -0.2);
  EXPECT_EQ(first.delta.low, again.delta.low);
  EXPECT_EQ(first.delta.high, again.delta.high);
  EXPECT_NE(first.delta.low, other.delta.low);
}

TEST(BootstrapTest, ImagesOfOnePatientAreNoMoreEvidence) {
  const auto width = [](const PairedPredictions& rows) {
    const auto result = bootstrap_delta(std::vector{rows}, share_right);
    return *result.delta.high - *result.delta.low;
  };
  PairedPredictions apart = make_predictions(40, 9, 10);
  for (std::size_t i = 0; i < apart.group.size(); ++i) apart.group[i] = std::to_string(i);
  EXPECT_NEAR(width(make_predictions(40, 9, 10)), width(make_predictions(40, 1, 10)), 1e-12);
  EXPECT_LT(width(apart), 0.5 * width(make_predictions(40, 9, 10)));
}

TEST(BootstrapTest, RepeatsThatDisagreeWidenTheInterval) {
  const auto same = make_predictions(100, 1, 10);
  const std::vector<PairedPredictions> agree{same, same, same};
  const std::vector<PairedPredictions> disagree{make_predictions(100, 1, 0), same,
                                                make_predictions(100, 1, 20)};
  const auto narrow = bootstrap_delta(agree, share_right);
  const auto wide = bootstrap_delta(disagree, share_right);
  EXPECT_NEAR(narrow.delta.value, wide.delta.value, 1e-12);
  EXPECT_GT(*wide.delta.high - *wide.delta.low, 1.3 * (*narrow.delta.high - *narrow.delta.low));
}

TEST(BootstrapTest, NoIntervalWhereThereIsNothingToResample) {
  const auto one = bootstrap_delta(std::vector{make_predictions(1, 8, 0)}, share_right);
  EXPECT_EQ(one.groups, 1);
  EXPECT_FALSE(one.delta.has_interval());

  const Metric never = [](auto, auto, auto) { return std::numeric_limits<double>::quiet_NaN(); };
  const auto undefined = bootstrap_delta(std::vector{make_predictions(8, 1, 0)}, never);
  EXPECT_EQ(undefined.undefined, 2000);
  EXPECT_FALSE(undefined.delta.has_interval());
}

TEST(BootstrapTest, RefusesWhatIsNotPaired) {
  PairedPredictions rows = make_predictions(4, 1, 0);
  rows.arm_score.pop_back();
  EXPECT_THROW(bootstrap_delta(std::vector{rows}, share_right), Error);
  EXPECT_THROW(bootstrap_delta(std::vector<PairedPredictions>{}, share_right), Error);
  EXPECT_THROW(
      bootstrap_delta(std::vector{make_predictions(4, 1, 0)}, share_right, {.resamples = 0}),
      UsageError);
}

}  // namespace
}  // namespace mpbench::stats
