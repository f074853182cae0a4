#include "mpbench/bench/gpu_sampler.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/environment_variable.hpp"

namespace mpbench::bench {
namespace {

const device::Nvml& fake_nvml() {
  static const device::Nvml nvml(MPBENCH_FAKE_NVML);
  return nvml;
}

// The fake card uses a joule between two readings, and what a sampler reads is the difference.
TEST(GpuSamplerTest, MeasuresAPartTooShortForItsThread) {
  const EnvironmentVariable reasons("FAKE_NVML_REASONS", "0x4");
  GpuSampler sampler(device::GpuSensors(fake_nvml(), "00000000:17:00.0"));
  for (int part = 0; part < 2; ++part) {
    sampler.start();
    const GpuUse use = sampler.stop();
    EXPECT_DOUBLE_EQ(use.energy_j.value(), 1);
    EXPECT_EQ(use.median_clock_mhz(), 1410);
    EXPECT_EQ(use.throttle_reasons, 0x4U);
    EXPECT_EQ(use.clocks_mhz.at(1410), 1);
  }
}

TEST(GpuSamplerTest, EachPartHasItsOwnHighestTemperature) {
  GpuSampler sampler(device::GpuSensors(fake_nvml(), "00000000:17:00.0"));
  for (const int degrees : {81, 60}) {
    const EnvironmentVariable temperature("FAKE_NVML_TEMPERATURE", std::to_string(degrees).c_str());
    sampler.start();
    EXPECT_EQ(sampler.stop().highest_temperature_c, degrees);
  }
}

TEST(GpuSamplerTest, SamplesWhileTheRunGoesOn) {
  GpuSampler sampler(device::GpuSensors(fake_nvml(), "00000000:17:00.0"));
  sampler.start();
  for (int i = 0; i < 200 && sampler.used().clocks_mhz.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(sampler.used().clocks_mhz.begin()->first, 1410);
  EXPECT_EQ(sampler.used().throttle_reasons, 0U) << "seen, and there was none";
}

TEST(GpuSamplerTest, SaysNothingWhereThereAreNoSensors) {
  GpuSampler sampler(device::GpuSensors(c10::Device("cpu")));
  sampler.start();
  const GpuUse use = sampler.stop();
  EXPECT_EQ(use.energy_j, std::nullopt);
  EXPECT_EQ(use.median_clock_mhz(), std::nullopt);
  EXPECT_EQ(use.throttle_reasons, std::nullopt);
  EXPECT_EQ(use.highest_temperature_c, std::nullopt);
}

TEST(GpuUseTest, AddsParts) {
  GpuUse use{.energy_j = 2,
             .clocks_mhz = {{1000, 1}, {1200, 1}},
             .throttle_reasons = 0x4,
             .highest_temperature_c = 70};
  use.add({.energy_j = 3,
           .clocks_mhz = {{1200, 1}, {1400, 2}},
           .throttle_reasons = 0x20,
           .highest_temperature_c = 75});
  EXPECT_EQ(use.energy_j, 5);
  EXPECT_EQ(use.median_clock_mhz(), 1200);
  EXPECT_EQ(use.throttle_reasons, 0x24U);
  EXPECT_EQ(use.highest_temperature_c, 75);
  use.add({});
  EXPECT_EQ(use.highest_temperature_c, 75);
  EXPECT_EQ(use.energy_j, std::nullopt) << "half of it would pass for all";
  EXPECT_EQ(use.median_clock_mhz(), 1200);
}

}  // namespace
}  // namespace mpbench::bench
