#include "mpbench/device/determinism.hpp"

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace mpbench::device {
namespace {

/// Restores what cuDNN's search was set to, whatever a test does.
class DeterminismTest : public ::testing::Test {
 protected:
  void TearDown() override { at::globalContext().setBenchmarkCuDNN(before_); }
  static bool searches() { return at::globalContext().benchmarkCuDNN(); }

 private:
  bool before_ = at::globalContext().benchmarkCuDNN();
};

TEST_F(DeterminismTest, SearchIsAsAsked) {
  for (const bool before : {false, true}) {
    at::globalContext().setBenchmarkCuDNN(before);
    for (const bool benchmark : {false, true}) {
      const DeterminismGuard guard(/*on=*/false, benchmark);
      EXPECT_EQ(searches(), benchmark);
    }
    EXPECT_EQ(searches(), before);
  }
}

TEST_F(DeterminismTest, DeterministicRunsDoNotSearch) {
  at::globalContext().setBenchmarkCuDNN(true);
  {
    const DeterminismGuard guard(/*on=*/true, /*benchmark=*/true);
    EXPECT_FALSE(searches());
    EXPECT_TRUE(at::globalContext().deterministicCuDNN());
    EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
  }
  EXPECT_TRUE(searches());
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
}

TEST_F(DeterminismTest, NoCudnnBenchmarkGuardEndsTheSearchWhileItLives) {
  for (const bool before : {false, true}) {
    at::globalContext().setBenchmarkCuDNN(before);
    {
      const NoCudnnBenchmarkGuard guard;
      EXPECT_FALSE(searches());
    }
    EXPECT_EQ(searches(), before);
  }
}

}  // namespace
}  // namespace mpbench::device
