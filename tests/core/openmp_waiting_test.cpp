#include "mpbench/core/openmp_waiting.hpp"

#include <gtest/gtest.h>

#include "support/environment_variable.hpp"

namespace mpbench {
namespace {

class OpenMpWaitingTest : public testing::Test {
 protected:
  OpenMpWaitingTest() {
    unsetenv("OMP_WAIT_POLICY");
    unsetenv("GOMP_SPINCOUNT");
  }

 private:
  // Put back what was there.
  EnvironmentVariable policy_{"OMP_WAIT_POLICY", ""};
  EnvironmentVariable spin_count_{"GOMP_SPINCOUNT", ""};
};

TEST_F(OpenMpWaitingTest, SleepsByDefault) {
  EXPECT_EQ(openmp_wait_policy(), "");
  set_openmp_wait_policy();
  EXPECT_EQ(openmp_wait_policy(), "passive, spincount 2000");
}

TEST_F(OpenMpWaitingTest, LeavesTheUsersPolicyAlone) {
  const EnvironmentVariable policy("OMP_WAIT_POLICY", "active");
  set_openmp_wait_policy();
  EXPECT_EQ(openmp_wait_policy(), "active");
}

TEST_F(OpenMpWaitingTest, LeavesTheUsersSpinCountAlone) {
  const EnvironmentVariable count("GOMP_SPINCOUNT", "1000");
  set_openmp_wait_policy();
  EXPECT_EQ(std::getenv("OMP_WAIT_POLICY"), nullptr);
  EXPECT_EQ(openmp_wait_policy(), "spincount 1000");
}

}  // namespace
}  // namespace mpbench
