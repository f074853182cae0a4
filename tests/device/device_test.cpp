#include "mpbench/device/device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::device {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(DeviceTest, ParsesTheCpuAndRefusesOtherWords) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  for (const char* word : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""}) {
    EXPECT_THAT([&] { (void)parse_device(word); },
                ThrowsMessage<UsageError>(HasSubstr("choose auto, cpu, cuda or cuda:N")))
        << word;
  }
}

TEST(DeviceTest, SaysWhyACudaDeviceIsNotThere) {
  if (list_devices().size() > 1) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_TRUE(parse_device("auto").is_cpu());
  EXPECT_THAT([] { (void)parse_device("cuda:3"); },
              ThrowsMessage<Error>(HasSubstr("--device cpu")));
}

TEST(DeviceTest, PeaksOfWhatIsNotInitialisedAreNotKnown) {
  if (list_devices().size() > 1) GTEST_SKIP() << "another test may have initialised CUDA";
  EXPECT_FALSE(peak_memory(c10::Device("cuda:0")).has_value());
}

TEST(DeviceTest, PeaksCanBeResetBeforeAnythingElseUsesTheGpu) {
  SKIP_WITHOUT_CUDA();
  const c10::Device device = parse_device("cuda");
  reset_peak_memory(device);
  const auto peak = peak_memory(device);
  ASSERT_TRUE(peak.has_value());
  EXPECT_EQ(peak->allocated_bytes, 0);
  const auto some = torch::empty({1 << 20}, torch::dtype(torch::kFloat32).device(device));
  EXPECT_GE(peak_memory(device)->allocated_bytes, 4 << 20);
  EXPECT_GE(peak_memory(device)->reserved_bytes, peak_memory(device)->allocated_bytes);
}

TEST(DeviceTest, FindsTheDeviceThatIsParsed) {
  for (const char* word : {"cpu", "auto"}) EXPECT_EQ(find_device(word), parse_device(word));
  EXPECT_THAT([] { (void)find_device("cuda:300"); },
              ThrowsMessage<Error>(HasSubstr("--device cpu")));
}

TEST(DeviceTest, MixedPrecisionDefaultsAreAutocasts) {
  EXPECT_EQ(default_mixed_precision(c10::Device("cpu")), Precision::bf16);
  EXPECT_EQ(default_mixed_precision(c10::Device("cuda:0")), Precision::fp16);
}

TEST(DeviceTest, DescribesTheCpuWithAVerdictOnEveryPrecision) {
  const DeviceInfo cpu = describe(c10::Device("cpu"));
  EXPECT_GT(cpu.cores, 0);
  EXPECT_GT(cpu.memory_bytes, 1 << 28);
  ASSERT_EQ(cpu.precisions.size(), 4U);
  EXPECT_EQ(cpu.precisions[0].support, Support::native);
  EXPECT_EQ(cpu.precisions[1].support, Support::absent);
  EXPECT_FALSE(peak_memory(c10::Device("cpu")).has_value())
      << "the CPU has no device memory to measure";
}

TEST(VersionsTest, NamesLibTorchAndOneDnn) {
  EXPECT_THAT(versions().torch, HasSubstr("2."));
  EXPECT_THAT(versions().onednn, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace mpbench::device
