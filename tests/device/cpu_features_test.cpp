#include "mpbench/device/cpu_features.hpp"

#include <gtest/gtest.h>

namespace mpbench::device {
namespace {

TEST(CpuFeaturesTest, ReadsWholeFlagsOfTheFirstProcessor) {
  const CpuFeatures cpu = parse_cpu_features(
      "processor\t: 0\nmodel name\t: Some Xeon\nflags\t\t: fpu avx512_bf16 amx_bf16 amx_tile "
      "avx512_fp16x\n\n"
      "processor\t: 1\nmodel name\t: Other\nflags\t\t: amx_fp16\n");
  EXPECT_EQ(cpu.name, "Some Xeon");
  EXPECT_TRUE(cpu.avx512_bf16);
  EXPECT_TRUE(cpu.amx_bf16);
  EXPECT_FALSE(cpu.avx512_fp16) << "a longer word that begins alike is another flag";
  EXPECT_FALSE(cpu.amx_fp16) << "the second processor is not read";
}

TEST(CpuFeaturesTest, UnknownTextHasNone) {
  EXPECT_FALSE(parse_cpu_features("Features: asimd\n").avx512_bf16);
}

}  // namespace
}  // namespace mpbench::device
