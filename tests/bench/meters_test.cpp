#include "mpbench/bench/meters.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "mpbench/core/timer.hpp"

namespace mpbench::bench {
namespace {

namespace fs = std::filesystem;

class EnergyCounterTest : public testing::Test {
 protected:
  EnergyCounterTest()
      : root_(fs::path(testing::TempDir()) / ("powercap-" + std::to_string(getpid()))) {
    fs::create_directories(root_);
  }
  ~EnergyCounterTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << '\n';
  }
  void make_zone(const std::string& zone, const std::string& name,
                 const std::string& energy) const {
    write(zone + "/name", name);
    write(zone + "/max_energy_range_uj", "1000000");
    write(zone + "/energy_uj", energy);
  }

  fs::path root_;
};

TEST_F(EnergyCounterTest, SumsPackagesAndTheirMemoryOnly) {
  make_zone("intel-rapl:0", "package-0", "100");
  make_zone("intel-rapl:0:0", "core", "100");
  make_zone("intel-rapl:0:2", "dram", "100");
  make_zone("intel-rapl:1", "psys", "100");
  make_zone("intel-rapl-mmio:0", "package-0", "100");
  EnergyCounter counter(root_);
  ASSERT_TRUE(counter.available());
  for (const char* zone :
       {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:2", "intel-rapl:1", "intel-rapl-mmio:0"}) {
    write(std::string(zone) + "/energy_uj", "400100");
  }
  EXPECT_DOUBLE_EQ(counter.joules().value(), 0.8);
  counter.restart();
  EXPECT_DOUBLE_EQ(counter.joules().value(), 0);
}

TEST_F(EnergyCounterTest, CountsAcrossAWrap) {
  make_zone("intel-rapl:0", "package-0", "999990");
  EnergyCounter counter(root_);
  write("intel-rapl:0/energy_uj", "9");
  EXPECT_NEAR(counter.joules().value(), 20e-6, 1e-12);
  write("intel-rapl:0/energy_uj", "19");
  EXPECT_NEAR(counter.joules().value(), 30e-6, 1e-12);
}

TEST_F(EnergyCounterTest, SaysNothingRatherThanHalf) {
  EXPECT_EQ(EnergyCounter(root_ / "absent").joules(), std::nullopt);
  make_zone("intel-rapl:0", "package-0", "100");
  make_zone("intel-rapl:1", "package-1", "no number");
  EnergyCounter half(root_);
  EXPECT_FALSE(half.available());
  EXPECT_EQ(half.joules(), std::nullopt);

  write("intel-rapl:1/energy_uj", "100");
  EnergyCounter lost(root_);
  ASSERT_TRUE(lost.available());
  fs::remove(root_ / "intel-rapl:1/energy_uj");
  EXPECT_EQ(lost.joules(), std::nullopt);
}

TEST(MetersTest, PeakRssSeesMemoryThatIsGone) {
  constexpr std::size_t bytes = std::size_t{96} << 20;
  // Straight from the kernel and back to it: an allocator may keep what is freed.
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(block, MAP_FAILED);
  std::memset(block, 1, bytes);
  ASSERT_EQ(munmap(block, bytes), 0);
  const auto before = peak_rss_bytes();
  ASSERT_TRUE(before.has_value());
  EXPECT_GT(*before, static_cast<std::int64_t>(bytes));
  if (reset_peak_rss()) {
    EXPECT_LT(peak_rss_bytes().value(), *before - static_cast<std::int64_t>(bytes / 2));
  } else {
    EXPECT_EQ(peak_rss_bytes(), before);
  }
}

double compute_for(double seconds) {
  const Stopwatch watch;
  double sum = 0;
  while (watch.seconds() < seconds) sum += std::sqrt(sum + 1);
  return sum;
}

TEST(MetersTest, MeasuresPartsAndNotWhatLiesBetween) {
  ResourceMeter meter(c10::DeviceType::CPU, fs::path(testing::TempDir()) / "no-powercap-here");
  EXPECT_FALSE(meter.running());
  meter.start();
  EXPECT_GT(compute_for(0.05), 0);
  EXPECT_TRUE(meter.running());
  const ResourceUse so_far = meter.used();
  ResourceUse use = meter.stop();
  EXPECT_FALSE(meter.running());
  EXPECT_GT(so_far.cpu_time_s.value(), 0.01);
  EXPECT_LE(so_far.cpu_time_s.value(), use.cpu_time_s.value());
  EXPECT_GT(compute_for(0.5), 0);
  meter.start();
  use.add(meter.stop());
  EXPECT_LT(use.cpu_time_s.value(), 0.4);
  EXPECT_GT(use.peak_rss_bytes.value(), 1 << 20);
  EXPECT_EQ(use.energy_j, std::nullopt);
  EXPECT_EQ(use.peak_device_bytes, std::nullopt);
}

TEST(MetersTest, AddsUpWhatIsKnownOfEveryPart) {
  ResourceUse use{.peak_device_bytes = 5, .peak_rss_bytes = 7, .cpu_time_s = 1, .energy_j = 2};
  use.add({.peak_device_bytes = 4, .peak_rss_bytes = 9, .cpu_time_s = 0.5, .energy_j = {}});
  EXPECT_EQ(use.peak_device_bytes, 5);
  EXPECT_EQ(use.peak_rss_bytes, 9);
  EXPECT_EQ(use.cpu_time_s, 1.5);
  EXPECT_EQ(use.energy_j, std::nullopt) << "half of it would pass for all";
}

}  // namespace
}  // namespace mpbench::bench
