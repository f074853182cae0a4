#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "mpbench/stats/session_statistics.hpp"
#include "support/matchers.hpp"

namespace mpbench::stats {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using Values = std::vector<double>;

TEST(PocockLevelTest, IsThatOfPublishedTables) {
  // Jennison and Turnbull, Group Sequential Methods (2000), table 2.1: critical values for 1 to 10
  // looks, to three decimals.
  struct Table {
    double alpha;
    std::array<double, 10> critical;
  };
  const std::array tables{
      Table{0.01, {2.576, 2.772, 2.873, 2.939, 2.986, 3.023, 3.053, 3.078, 3.099, 3.117}},
      Table{0.05, {1.960, 2.178, 2.289, 2.361, 2.413, 2.453, 2.485, 2.512, 2.535, 2.555}},
      Table{0.1, {1.645, 1.875, 1.992, 2.067, 2.122, 2.164, 2.197, 2.225, 2.249, 2.270}}};
  for (const auto& [alpha, critical] : tables) {
    for (int looks = 1; looks <= 10; ++looks) {
      const auto level_of = [](double value) { return std::erfc(value / std::sqrt(2)); };
      const double level = pocock_level(alpha, looks);
      EXPECT_LE(level, level_of(critical[looks - 1] - 0.00051)) << alpha << ' ' << looks;
      EXPECT_GE(level, level_of(critical[looks - 1] + 0.00051)) << alpha << ' ' << looks;
    }
  }
}

TEST(PocockLevelTest, IsAlphaForOneLookAndLessForMore) {
  for (const double alpha : {1e-9, 0.001, 0.05, 0.5, 0.99}) {
    EXPECT_EQ(pocock_level(alpha, 1), alpha);
    double before = alpha;
    for (int looks = 2; looks <= 10; ++looks) {
      const double level = pocock_level(alpha, looks);
      EXPECT_LT(level, before);
      EXPECT_GE(level, alpha / looks);
      before = level;
    }
  }
}

TEST(PocockLevelTest, RefusesOtherLevelsAndLooks) {
  for (const int looks : {0, -1, 11}) {
    EXPECT_THAT([&] { pocock_level(0.05, looks); }, ThrowsWith<UsageError>("1 to 10 looks"));
  }
  for (const double alpha : {0.0, 1.0, std::nan("")}) {
    EXPECT_THAT([&] { pocock_level(alpha, 3); }, ThrowsWith<UsageError>("level"));
  }
}

TEST(HolmLevelsTest, StopAtTheFirstThatIsNotRejected) {
  EXPECT_THAT(holm_levels(Values{0.01, 0.04, 0.03, 0.005}, 0.05),
              ElementsAre(DoubleEq(0.05 / 3), DoubleEq(0.025), DoubleEq(0.025), DoubleEq(0.0125)));
  EXPECT_THAT(holm_levels(Values{0.9, 0.02}, 0.05), ElementsAre(DoubleEq(0.05), DoubleEq(0.025)));
  // 0.03 would be rejected at 0.05, were 0.026 not in the way.
  EXPECT_THAT(holm_levels(Values{0.03, 0.026}, 0.05),
              ElementsAre(DoubleEq(0.025), DoubleEq(0.025)));
}

TEST(HolmLevelsTest, OfNoneOneAndLikeOnes) {
  EXPECT_THAT(holm_levels(Values{}, 0.05), ElementsAre());
  EXPECT_THAT(holm_levels(Values{0.5}, 0.05), ElementsAre(0.05));
  EXPECT_THAT(holm_levels(Values{0, 0}, 0.05), ElementsAre(0.025, 0.05));
  EXPECT_THAT(holm_levels(Values{0.04, 0.04}, 0.05), ElementsAre(0.025, 0.025));
}

TEST(LevelsOfSeveralTest, RefuseWhatIsNoProbability) {
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THAT([&] { holm_levels(Values{0.1, p}, 0.05); }, ThrowsWith<Error>("p-value"));
  }
  EXPECT_THROW(holm_levels(Values{0.1}, 1), UsageError);
}

}  // namespace
}  // namespace mpbench::stats
