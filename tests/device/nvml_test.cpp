#include "mpbench/device/nvml.hpp"

#include <gtest/gtest.h>

#include "support/environment_variable.hpp"

namespace mpbench::device {
namespace {

constexpr auto card = "00000000:17:00.0";

TEST(NvmlTest, ReadsACardByItsPlaceOnTheBus) {
  for (const char* library : {MPBENCH_FAKE_NVML, MPBENCH_FAKE_OLD_NVML}) {
    const EnvironmentVariable reasons("FAKE_NVML_REASONS", "0x44");
    const Nvml nvml(library);
    EXPECT_EQ(nvml.driver_version(), "580.65.06");
    const GpuSensors sensors(nvml, card);
    ASSERT_TRUE(sensors.available());
    const double before = sensors.energy_j().value();
    EXPECT_GT(before, 1000) << "millijoules are joules here";
    EXPECT_DOUBLE_EQ(sensors.energy_j().value() - before, 1);
    EXPECT_EQ(sensors.sm_clock_mhz(), 1410);
    EXPECT_EQ(sensors.throttle_reasons(), 0x44U) << library;
    EXPECT_EQ(sensors.temperature_c(), 54);
  }
}

TEST(NvmlTest, SaysNothingOfAnotherCard) {
  const Nvml nvml(MPBENCH_FAKE_NVML);
  const GpuSensors sensors(nvml, "00000000:18:00.0");
  EXPECT_FALSE(sensors.available());
  EXPECT_EQ(sensors.energy_j(), std::nullopt);
  EXPECT_EQ(sensors.sm_clock_mhz(), std::nullopt);
  EXPECT_EQ(sensors.throttle_reasons(), std::nullopt);
  EXPECT_EQ(sensors.temperature_c(), std::nullopt);
}

void expect_nothing(const Nvml& nvml) {
  EXPECT_EQ(nvml.driver_version(), "");
  EXPECT_FALSE(GpuSensors(nvml, card).available());
}

TEST(NvmlTest, SaysNothingWithoutTheLibraryOrItsFunctions) {
  expect_nothing(Nvml("libmpbench-no-such-nvml.so.1"));
  expect_nothing(Nvml("libm.so.6"));
  const EnvironmentVariable not_loaded("FAKE_NVML_INIT", "9");
  expect_nothing(Nvml(MPBENCH_FAKE_NVML));
}

TEST(NvmlTest, ACpuHasNoSensors) {
  EXPECT_FALSE(GpuSensors(c10::Device("cpu")).available());
  EXPECT_FALSE(GpuSensors::by_driver(c10::Device("cpu")).available());
}

TEST(NvmlTest, SaysNothingOfADeviceThatTheDriverDoesNotName) {
  EXPECT_FALSE(GpuSensors::by_driver(c10::Device("cuda:99")).available());
}

TEST(NvmlTest, NamesWhatSlowsTheClockDown) {
  EXPECT_EQ(throttle_words(0), "none");
  EXPECT_EQ(throttle_words(0x1 | 0x2 | 0x10 | 0x100), "none")
      << "idle, or clocks that somebody set";
  EXPECT_EQ(throttle_words(0x4), "power");
  EXPECT_EQ(throttle_words(0x80), "power");
  EXPECT_EQ(throttle_words(0x20), "thermal");
  EXPECT_EQ(throttle_words(0x4 | 0x40), "power, thermal");
  EXPECT_EQ(throttle_words(0x8), "hardware");
}

}  // namespace
}  // namespace mpbench::device
