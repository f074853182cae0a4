#include "mpbench/core/precision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"

namespace mpbench {
namespace {

TEST(PrecisionTest, ParsesItsOwnNames) {
  for (const auto precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}) {
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  }
  EXPECT_TRUE(is_mixed(Precision::bf16));
  EXPECT_TRUE(is_mixed(Precision::fp16));
  EXPECT_FALSE(is_mixed(Precision::tf32));
}

TEST(PrecisionTest, NamesTheChoices) {
  EXPECT_THAT([] { (void)parse_precision("fp8"); },
              testing::ThrowsMessage<UsageError>(
                  testing::HasSubstr("'fp8': choose fp32, tf32, bf16 or fp16")));
}

}  // namespace
}  // namespace mpbench
