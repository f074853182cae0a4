#include "../../src/bench/kernel_files.hpp"

#include <gtest/gtest.h>
#include <sys/times.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "support/fake_machine.hpp"

namespace mpbench::bench {
namespace {

// As Linux 6 has it, of two of four processors: cpu1 and cpu2 are offline.
constexpr auto two_processors =
    "cpu  1000 20 300 5000 70 6 7 80 50 3\n"
    "cpu0 600 20 200 2000 30 3 4 40 50 3\n"
    "cpu3 400 0 100 3000 40 3 3 40 0 0\n"
    "intr 1747276 0 0 0\n"
    "ctxt 1\n";

TEST(KernelFilesTest, ReadsWhatTheProcessorsDid) {
  const FakeMachine machine;
  machine.write("proc/stat", two_processors);
  const ProcessorTimes times = read_processor_times(machine.proc());
  ASSERT_TRUE(times.all);
  EXPECT_EQ(times.all->busy, 1000 + 20 + 300 + 6 + 7) << "the guests' time is in the first two";
  EXPECT_EQ(times.all->idle, 5000 + 70);
  EXPECT_EQ(times.all->stolen, 80);
  EXPECT_EQ(times.all->total(), 1333 + 5070 + 80);
  ASSERT_EQ(times.each.size(), 2U);
  EXPECT_EQ(times.each.at(3).busy, 506);
}

TEST(KernelFilesTest, OldKernelsTellLess) {
  const FakeMachine machine;
  machine.write("proc/stat", "cpu  1000 20 300 5000\n");
  const ProcessorTimes times = read_processor_times(machine.proc());
  ASSERT_TRUE(times.all);
  EXPECT_EQ(times.all->busy, 1320);
  EXPECT_EQ(times.all->stolen, std::nullopt) << "not measured, never 0";
}

TEST(KernelFilesTest, CountersThatFallBackCountNothing) {
  const ProcessorTicks later{.busy = 10, .idle = 100, .stolen = 4};
  const ProcessorTicks added = later.since({.busy = 4, .idle = 101, .stolen = 5});
  EXPECT_EQ(added.busy, 6);
  EXPECT_EQ(added.idle, 0);
  EXPECT_EQ(added.stolen, 0);
  EXPECT_EQ(later.since({.busy = 4, .idle = 90, .stolen = {}}).stolen, std::nullopt);
}

TEST(KernelFilesTest, ReadsAProcessWhateverItsName) {
  const FakeMachine machine;
  machine.write_process(42, 700, 80, 9, 1234);
  const auto ticks = read_process_ticks(machine.proc(), 42);
  ASSERT_TRUE(ticks);
  EXPECT_EQ(ticks->own, 780);
  EXPECT_EQ(ticks->children, 9);
  EXPECT_EQ(ticks->started, 1234U);
  EXPECT_EQ(read_process_ticks(machine.proc(), 43), std::nullopt);
}

TEST(KernelFilesTest, ReadsLoadPressureAndFrequencies) {
  const FakeMachine machine;
  machine.write("proc/loadavg", "2.87 3.33 3.35 2/100 24556\n");
  EXPECT_EQ(read_load_1min(machine.proc()), 2.87);
  machine.write("proc/pressure/cpu",
                "some avg10=88.52 avg60=80.16 avg300=63.49 total=1021009378\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  EXPECT_DOUBLE_EQ(read_cpu_pressure_s(machine.proc()).value(), 1021.009378);
  machine.write("cpu/cpu3/cpufreq/scaling_cur_freq", "3400123\n");
  EXPECT_DOUBLE_EQ(read_scaling_mhz(machine.processors(), 3).value(), 3400.123);
  EXPECT_EQ(read_scaling_mhz(machine.processors(), 2), std::nullopt);
  machine.write("proc/cpuinfo",
                "processor\t: 0\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2596.094\ncache size\t: 1\n\n"
                "processor\t: 3\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 1200.000\n");
  EXPECT_EQ(read_cpuinfo_mhz(machine.proc()), (std::map<int, double>{{0, 2596.094}, {3, 1200.0}}));
}

void expect_no_files(const FakeMachine& machine, const std::string& why) {
  const ProcessorTimes times = read_processor_times(machine.proc());
  EXPECT_FALSE(times.all.has_value()) << why;
  EXPECT_TRUE(times.each.empty()) << why;
  EXPECT_EQ(read_process_ticks(machine.proc(), 42), std::nullopt) << why;
  EXPECT_EQ(read_load_1min(machine.proc()), std::nullopt) << why;
  EXPECT_EQ(read_cpu_pressure_s(machine.proc()), std::nullopt) << why;
  EXPECT_EQ(read_scaling_mhz(machine.processors(), 0), std::nullopt) << why;
  EXPECT_TRUE(read_cpuinfo_mhz(machine.proc()).empty()) << why;
}

TEST(KernelFilesTest, SaysNothingOfWhatIsNotThereOrSomethingElse) {
  const FakeMachine machine;
  expect_no_files(machine, "no files");
  constexpr auto huge = "99999999999999999999999999999999999999";
  const std::string nul("cpu 1 2 3 4\0 5", 14);
  for (const std::string& text :
       {std::string(),
        std::string("\n\n"),
        std::string("cpu"),
        std::string("cpu  \n"),
        std::string("cpu  1 2 3"),
        std::string("cpu  1 2 3 -4\n"),
        std::string("cpu 1 2 3 4 5 x"),
        std::string("cpu0x 1 2 3 4 5 6 7 8\n"),
        std::string("cpu99999999999 1 2 3 4\n"),
        std::string("cpu ") + huge + " 1 1 1\n",
        std::string("some avg10=1 total=") + huge,
        std::string("some total=\n"),
        std::string("some "),
        std::string("processor\ncpu MHz"),
        std::string("processor\t: 0\ncpu MHz\t: nan\n"),
        std::string("cpu MHz\t: 5\n"),
        nul,
        std::string("x (name) R 1 1"),
        std::string("x (name"),
        std::string(")"),
        std::string("x (x) R 1 1 1 0 -1 4 98 0 0 0 1 ") + huge + " 0 0 20 0 1 0 5 1",
        std::string("inf"),
        std::string("-1"),
        std::string("0x10"),
        std::string(100000, ' '),
        std::string(100000, '('),
        std::string("\xff\xfe\x00", 3)}) {
    for (const char* file : {"proc/stat", "proc/42/stat", "proc/loadavg", "proc/pressure/cpu",
                             "proc/cpuinfo", "cpu/cpu0/cpufreq/scaling_cur_freq"}) {
      machine.write(file, text);
    }
    expect_no_files(machine, text.substr(0, 60));
  }
  for (const char* file : {"proc/stat", "proc/42/stat", "proc/loadavg", "proc/cpuinfo"}) {
    machine.remove(file);
    machine.write(std::string(file) + "/a", "a folder in its place");
  }
  expect_no_files(machine, "folders");
}

TEST(KernelFilesTest, ATruncatedFileTellsAsMuchAsItHas) {
  const FakeMachine machine;
  const std::string whole = two_processors;
  const std::size_t first_line = whole.find('\n');
  for (std::size_t size = 0; size < whole.size(); ++size) {
    machine.write("proc/stat", whole.substr(0, size));
    const ProcessorTimes times = read_processor_times(machine.proc());
    EXPECT_LE(times.each.size(), 2U);
    if (size >= first_line) {
      EXPECT_EQ(times.all.value().total(), 6483) << size;
    }
  }
}

// The same figures by system calls.
TEST(KernelFilesTest, AgreesWithTheSystemOnThisMachine) {
  const auto begin = std::chrono::steady_clock::now();
  volatile double sink = 0;
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(300)) sink = sink + 1;
  tms used{};
  ASSERT_NE(times(&used), static_cast<clock_t>(-1));
  const auto ticks = read_process_ticks("/proc", getpid());
  ASSERT_TRUE(ticks);
  EXPECT_NEAR(ticks->own, static_cast<double>(used.tms_utime + used.tms_stime), 3);
  EXPECT_NEAR(ticks->children, static_cast<double>(used.tms_cutime + used.tms_cstime), 3);

  double load = 0;
  ASSERT_EQ(getloadavg(&load, 1), 1);
  EXPECT_NEAR(read_load_1min("/proc").value(), load, 1);
  const ProcessorTimes processors = read_processor_times("/proc");
  ASSERT_TRUE(processors.all);
  EXPECT_EQ(processors.each.size(), static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_ONLN)));
  double sum = 0;
  for (const auto& [number, each] : processors.each) sum += each.total();
  EXPECT_NEAR(sum, processors.all->total(), 1e-3 * sum);
}

}  // namespace
}  // namespace mpbench::bench
