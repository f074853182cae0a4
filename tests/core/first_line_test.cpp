#include "mpbench/core/first_line.hpp"

#include <gtest/gtest.h>

namespace mpbench {
namespace {

TEST(FirstLineTest, LeavesOutAdviceAndBacktraces) {
  EXPECT_EQ(
      first_line("CUDA error: unspecified launch failure\nSearch for `cudaErrorLaunchFailure' in "
                 "https://docs.nvidia.com\nDevice-side assertions"),
      "CUDA error: unspecified launch failure");
  EXPECT_EQ(first_line("\n  one \r\ntwo"), "one");
  EXPECT_EQ(first_line("one"), "one");
  EXPECT_EQ(first_line(" \n\t"), "");
  EXPECT_EQ(first_line(""), "");
}

}  // namespace
}  // namespace mpbench
