#include "../../src/bench/session/machine_meter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "support/environment_variable.hpp"
#include "support/fake_machine.hpp"

namespace mpbench::bench {
namespace {

using namespace std::chrono_literals;

class MachineMeterTest : public testing::Test {
 protected:
  MachineMeterTest() {
    write_processors(0, 0, 0);
    for (const int id : {41, 42}) machine_.write_process(id, 0, 0);
  }

  /// What two processors did in all, half of it each.
  void write_processors(int busy, int idle, int stolen) const {
    const auto line = [](int user, int waiting, int gone) {
      return fmt::format(" {} 0 0 {} 0 0 0 {} 0 0\n", 1000 + user, 9000 + waiting, 30 + gone);
    };
    const std::string half = line(busy / 2, idle / 2, stolen / 2);
    machine_.write("proc/stat",
                   "cpu " + line(busy, idle, stolen) + "cpu0" + half + "cpu1" + half + "intr 5\n");
  }

  MachineFiles files() const {
    return {.proc = machine_.proc(),
            .processors = machine_.processors(),
            .powercap = machine_.powercap()};
  }

  FakeMachine machine_;
  const device::GpuSensors no_gpu_ = device::GpuSensors(c10::Device("cpu"));
};

TEST_F(MachineMeterTest, TellsWhoUsedTheProcessors) {
  MachineMeter meter(no_gpu_, files());
  machine_.write_process(41, 500, 0);
  meter.start({41, 42});
  write_processors(700, 200, 100);
  machine_.write_process(41, 700, 100);
  machine_.write_process(42, 140, 20, 40);
  machine_.write("proc/loadavg", "2.5 3 4 1/2 3\n");
  const MachineUse use = meter.stop();
  EXPECT_DOUBLE_EQ(use.steal_fraction.value(), 0.1);
  EXPECT_DOUBLE_EQ(use.other_cpu_fraction.value(), 0.2) << "700 less 300 and 200 with children";
  EXPECT_EQ(use.load_1min, 2.5);
}

TEST_F(MachineMeterTest, ASecondPartBeginsAnew) {
  MachineMeter meter(no_gpu_, files());
  meter.start({41});
  write_processors(800, 200, 0);
  machine_.write_process(41, 300, 0);
  EXPECT_DOUBLE_EQ(meter.stop().other_cpu_fraction.value(), 0.5);
  meter.start({41});
  write_processors(1000, 1000, 0);
  machine_.write_process(41, 400, 0);
  EXPECT_DOUBLE_EQ(meter.stop().other_cpu_fraction.value(), 0.1);
}

TEST_F(MachineMeterTest, WhatEndedCountsAsFarAsItWasSeen) {
  MachineMeter meter(no_gpu_, files());
  machine_.remove("proc/42");
  meter.start({41, 42});
  write_processors(600, 400, 0);
  machine_.write_process(41, 200, 0);
  std::this_thread::sleep_for(900ms);  // a look comes after 200 ms
  machine_.remove("proc/41");
  EXPECT_DOUBLE_EQ(meter.stop().other_cpu_fraction.value(), 0.4);
}

TEST_F(MachineMeterTest, AnotherProcessOfTheSameIdIsNotTakenForIt) {
  MachineMeter meter(no_gpu_, files());
  meter.start({41, 42});
  write_processors(600, 400, 0);
  machine_.write_process(41, 300, 0, 0, 78);
  EXPECT_DOUBLE_EQ(meter.stop().other_cpu_fraction.value(), 0.6);
}

TEST_F(MachineMeterTest, WithoutProcessesItIsNotKnownWhatOthersUse) {
  MachineMeter meter(no_gpu_, files());
  meter.start({});
  write_processors(600, 300, 100);
  const MachineUse use = meter.stop();
  EXPECT_EQ(use.other_cpu_fraction, std::nullopt);
  EXPECT_DOUBLE_EQ(use.steal_fraction.value(), 0.1);
}

TEST_F(MachineMeterTest, ProcessesMayHaveUsedMoreThanTheProcessorsAreSaidTo) {
  MachineMeter meter(no_gpu_, files());
  meter.start({41});
  write_processors(600, 400, 0);
  machine_.write_process(41, 603, 0);
  EXPECT_EQ(meter.stop().other_cpu_fraction, 0);
}

TEST_F(MachineMeterTest, NoShareOfAMoment) {
  MachineMeter meter(no_gpu_, files());
  machine_.write("proc/pressure/cpu", "some avg10=0.00 total=1000\n");
  meter.start({41});
  write_processors(60, 30, 0);
  const MachineUse use = meter.stop();
  EXPECT_EQ(use.steal_fraction, std::nullopt);
  EXPECT_EQ(use.other_cpu_fraction, std::nullopt);
  EXPECT_EQ(use.cpu_pressure_fraction, std::nullopt);
}

TEST_F(MachineMeterTest, TakesTheFrequencyOfBusyProcessors) {
  MachineMeter meter(no_gpu_, files());
  machine_.write("cpu/cpu0/cpufreq/scaling_cur_freq", "3000000\n");
  machine_.write("cpu/cpu1/cpufreq/scaling_cur_freq", "1000000\n");
  machine_.write("proc/cpuinfo", "processor : 0\ncpu MHz : 7\nprocessor : 1\ncpu MHz : 7\n");
  meter.start({});
  machine_.write("proc/stat", "cpu  1200 0 0 9000\ncpu0 1100 0 0 9000\ncpu1 1040 0 0 9060\n");
  EXPECT_EQ(meter.stop().frequency_mhz, 3000);
  meter.start({});
  machine_.write("proc/stat", "cpu  1400 0 0 9000\ncpu0 1200 0 0 9000\ncpu1 1140 0 0 9060\n");
  EXPECT_EQ(meter.stop().frequency_mhz, 2000) << "the median of the two";
  meter.start({});
  EXPECT_EQ(meter.stop().frequency_mhz, std::nullopt) << "none was busy";
}

TEST_F(MachineMeterTest, TakesCpuinfoWhereThereIsNoCpufreq) {
  MachineMeter meter(no_gpu_, files());
  machine_.write("proc/cpuinfo",
                 "processor : 0\ncpu MHz : 2500.5\nprocessor : 1\ncpu MHz : 2500.5\n");
  meter.start({});
  write_processors(200, 0, 0);
  EXPECT_EQ(meter.stop().frequency_mhz, 2500.5);
}

TEST_F(MachineMeterTest, MeasuresPressureAndEnergy) {
  machine_.write("powercap/intel-rapl:0/name", "package-0\n");
  machine_.write("powercap/intel-rapl:0/max_energy_range_uj", "1000000\n");
  machine_.write("powercap/intel-rapl:0/energy_uj", "5\n");
  machine_.write("proc/pressure/cpu", "some avg10=0.00 total=1000\n");
  MachineMeter meter(no_gpu_, files());
  machine_.write("powercap/intel-rapl:0/energy_uj", "105\n");  // before it is started
  meter.start({});
  machine_.write("powercap/intel-rapl:0/energy_uj", "900105\n");
  std::this_thread::sleep_for(1100ms);
  machine_.write("powercap/intel-rapl:0/energy_uj", "500104\n");  // it wrapped
  machine_.write("proc/pressure/cpu", "some avg10=0.00 total=501000\n");
  const MachineUse use = meter.stop();
  EXPECT_NEAR(use.cpu_pressure_fraction.value(), 0.5 / use.seconds, 1e-9);
  EXPECT_NEAR(use.energy_j.value(), 1.5, 1e-6) << "the wrap is seen, as it was looked at meanwhile";
}

TEST_F(MachineMeterTest, MeasuresTheGpu) {
  const EnvironmentVariable reasons("FAKE_NVML_REASONS", "0x40");
  static const device::Nvml nvml(MPBENCH_FAKE_NVML);
  MachineMeter meter(device::GpuSensors(nvml, "00000000:17:00.0"), files());
  meter.start({});
  SessionRecord record;
  fill_machine(record, meter.stop());
  EXPECT_EQ(record.device_clock_mhz, 1410);
  EXPECT_EQ(record.device_temperature_c, 54);
  EXPECT_EQ(record.device_throttled, "thermal");
  EXPECT_EQ(record.device_energy_j, std::nullopt) << "of less than a second";
  meter.start({});
  std::this_thread::sleep_for(1050ms);
  EXPECT_EQ(meter.stop().gpu.energy_j, 1) << "a joule more at the next reading";
}

void expect_not_measured(const MachineUse& use) {
  SessionRecord record;
  fill_machine(record, use);
  visit_columns(record, [](const std::string& name, const auto& value) {
    if constexpr (requires { value.has_value(); }) {
      EXPECT_FALSE(value.has_value()) << name;
    }
  });
  EXPECT_EQ(record.device_throttled, "");
}

TEST_F(MachineMeterTest, WhatCannotBeReadAtTheEndIsEmpty) {
  MachineMeter meter(no_gpu_, files());
  meter.start({41});
  machine_.remove("proc/stat");
  expect_not_measured(meter.stop());
}

TEST_F(MachineMeterTest, WhatCannotBeReadIsEmpty) {
  machine_.remove("proc");
  MachineMeter meter(no_gpu_, files());
  meter.start({41});
  expect_not_measured(meter.stop());
}

TEST_F(MachineMeterTest, SurvivesFilesThatAreSomethingElse) {
  constexpr auto huge = "18446744073709551615";
  const std::string many = fmt::format("{0} {0} {0} {0} {0} {0} {0} {0} {0} {0}\n", huge);
  const std::string process =
      fmt::format("41 (x) R 1 1 1 0 0 0 0 0 0 0 {0} {0} {0} {0} 0 0 1 0 77", huge);
  for (const std::string& text :
       {"cpu  " + many + "cpu0 " + many, "cpu  " + many.substr(0, 90), std::string("cpu"),
        std::string("\0\0\0", 3), std::string(50000, '9')}) {
    MachineMeter meter(no_gpu_, files());
    meter.start({41});
    for (const char* file : {"proc/stat", "proc/cpuinfo", "proc/pressure/cpu", "proc/loadavg"}) {
      machine_.write(file, text);
    }
    machine_.write("proc/41/stat", process);
    const MachineUse use = meter.stop();
    EXPECT_GE(use.other_cpu_fraction.value_or(0), 0);
    EXPECT_LE(use.steal_fraction.value_or(0), 1);
    write_processors(0, 0, 0);
    machine_.write_process(41, 0, 0);
  }
}

TEST(MachineUseTest, AddsParts) {
  MachineUse use;
  use.add({.seconds = 1,
           .steal_fraction = 0.1,
           .other_cpu_fraction = 0.4,
           .load_1min = 1,
           .cpu_pressure_fraction = 0.2,
           .frequency_mhz = 2000,
           .energy_j = 5,
           .gpu = {.energy_j = 7, .clocks_mhz = {{900, 1}}}});
  EXPECT_EQ(use.steal_fraction, 0.1);
  EXPECT_EQ(use.gpu.energy_j, 7);
  use.add({.seconds = 3,
           .steal_fraction = 0.5,
           .other_cpu_fraction = {},
           .load_1min = 2,
           .cpu_pressure_fraction = 0.6,
           .frequency_mhz = 3000,
           .energy_j = 6,
           .gpu = {.energy_j = 1}});
  EXPECT_EQ(use.seconds, 4);
  EXPECT_DOUBLE_EQ(use.steal_fraction.value(), 0.4);
  EXPECT_EQ(use.other_cpu_fraction, std::nullopt) << "a part of it would pass for the whole";
  EXPECT_EQ(use.load_1min, 2);
  EXPECT_DOUBLE_EQ(use.cpu_pressure_fraction.value(), 0.5);
  EXPECT_DOUBLE_EQ(use.frequency_mhz.value(), 2750);
  EXPECT_EQ(use.energy_j, 11);
  EXPECT_EQ(use.gpu.energy_j, 8);
}

double process_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(MachineMeterOnThisMachine, CostsNothingThatMatters) {
  MachineMeter meter(device::GpuSensors(c10::Device("cpu")));
  meter.start({getpid()});
  const double before = process_seconds();
  std::this_thread::sleep_for(2300ms);
  EXPECT_LT(process_seconds() - before, 0.023) << "a hundredth of a processor";
  const MachineUse use = meter.stop();
  EXPECT_GE(use.load_1min.value(), 0);
  EXPECT_GE(use.other_cpu_fraction.value(), 0);
  EXPECT_LE(use.other_cpu_fraction.value(), 1);
}

}  // namespace
}  // namespace mpbench::bench
