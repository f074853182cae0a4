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

TEST(CpuFeaturesTest, AreLimitedAsOneDnnIs) {
  const CpuFeatures all{
      .avx512_bf16 = true, .avx512_fp16 = true, .amx_bf16 = true, .amx_fp16 = true};
  for (const char* isa : {"avx2", "AVX2", "AVX512_CORE", "SSE41"}) {
    const CpuFeatures none = limited_to_isa(all, isa);
    EXPECT_FALSE(none.avx512_bf16 || none.avx512_fp16 || none.amx_bf16 || none.amx_fp16) << isa;
  }
  const CpuFeatures bf16 = limited_to_isa(all, "AVX512_CORE_BF16");
  EXPECT_TRUE(bf16.avx512_bf16);
  EXPECT_FALSE(bf16.avx512_fp16 || bf16.amx_bf16 || bf16.amx_fp16);
  const CpuFeatures fp16 = limited_to_isa(all, "AVX512_CORE_FP16");
  EXPECT_TRUE(fp16.avx512_bf16 && fp16.avx512_fp16);
  EXPECT_FALSE(fp16.amx_bf16 || fp16.amx_fp16);
  const CpuFeatures amx = limited_to_isa(all, "AVX512_CORE_AMX");
  EXPECT_TRUE(amx.amx_bf16);
  EXPECT_FALSE(amx.amx_fp16);
  for (const char* isa : {"ALL", "DEFAULT", "", "AVX512_CORE_AMX_FP16"}) {
    EXPECT_TRUE(limited_to_isa(all, isa).amx_fp16) << isa;
  }
}

TEST(CpuFeaturesTest, UnknownTextHasNone) {
  EXPECT_FALSE(parse_cpu_features("Features: asimd\n").avx512_bf16);
}

}  // namespace
}  // namespace mpbench::device
