#include "../../src/bench/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string read_all(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

ProcessOptions shell(const std::string& script) {
  ProcessOptions options;
  options.argv = {"/bin/sh", "-c", script};
  return options;
}

bool exists(pid_t process) { return kill(process, 0) == 0; }

/// Whether a process ends soon. Whoever inherits it may be slow to reap it: a zombie has ended too.
bool is_gone(pid_t process) {
  for (int i = 0; i < 500; ++i) {
    const std::string stat = read_all("/proc/" + std::to_string(process) + "/stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || stat[name_end + 2] == 'Z') return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class ProcessTest : public testing::Test {
 protected:
  ~ProcessTest() override { request_interrupt(false); }
  std::filesystem::path log_ =
      std::filesystem::path(testing::TempDir()) / ("process-" + std::to_string(getpid()) + ".log");
};

TEST_F(ProcessTest, KeepsOutputAndExitCode) {
  std::filesystem::remove(log_);
  ProcessOptions options = shell("echo one; echo two >&2; printf 'last\\n\\n'; exit 3");
  options.log = log_;
  std::vector<std::string> lines;
  options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  const ProcessResult result = run_process(options);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.last_line, "last");
  EXPECT_EQ(describe(result), "exit code 3");
  EXPECT_THAT(lines, ElementsAre("one", "two", "last", ""));
  EXPECT_EQ(read_all(log_), "one\ntwo\nlast\n\n");
  run_process(options);
  EXPECT_EQ(read_all(log_), "one\ntwo\nlast\n\none\ntwo\nlast\n\n");
  std::filesystem::remove(log_);
}

TEST_F(ProcessTest, TakesMoreThanAPipeHolds) {
  const ProcessResult result = run_process(
      shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf end"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.last_line, "end");
}

TEST_F(ProcessTest, CutsALineWithoutEnd) {
  ProcessOptions options = shell("head -c 1000000 /dev/zero | tr '\\0' x");
  std::size_t longest = 0;
  std::size_t total = 0;
  options.on_line = [&](std::string_view line) {
    longest = std::max(longest, line.size());
    total += line.size();
  };
  run_process(options);
  EXPECT_EQ(total, 1000000U);
  EXPECT_LE(longest, 64U * 1024);
}

TEST_F(ProcessTest, AddsToTheEnvironment) {
  setenv("MPBENCH_TEST_REPLACED", "old", 1);
  setenv("MPBENCH_TEST_KEPT", "kept", 1);
  ProcessOptions options =
      shell("echo $MPBENCH_TEST_REPLACED $MPBENCH_TEST_KEPT $MPBENCH_TEST_ADDED; cat");
  options.environment = {{"MPBENCH_TEST_REPLACED", "new"}, {"MPBENCH_TEST_ADDED", "added"}};
  EXPECT_EQ(run_process(options).last_line, "new kept added");  // and `cat` ends: stdin is empty
}

TEST_F(ProcessTest, TellsTheSignal) {
  const ProcessResult result = run_process(shell("kill -9 $$"));
  EXPECT_EQ(result.exit_code, -1);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_FALSE(result.interrupted);
  EXPECT_THAT(describe(result), HasSubstr("signal 9"));
}

TEST_F(ProcessTest, TellsWhatItTook) {
  const ProcessResult result =
      run_process(shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
  EXPECT_GT(result.peak_rss_bytes, 100 * 1024);
  EXPECT_GT(result.cpu_time_s, 0);
}

TEST_F(ProcessTest, SaysWhyItCannotStart) {
  ProcessOptions options;
  options.argv = {"/nonexistent/program"};
  EXPECT_THAT([&] { run_process(options); },
              testing::ThrowsMessage<Error>(
                  "cannot start /nonexistent/program: No such file or directory"));
  options.argv = {};
  EXPECT_THROW(run_process(options), Error);
  ProcessOptions unlogged = shell("true");
  unlogged.log = "/nonexistent/folder/log";
  EXPECT_THROW(run_process(unlogged), Error);
}

TEST_F(ProcessTest, PassesAStopOn) {
  // The child stops by itself on SIGINT, as a training run does.
  ProcessOptions options =
      shell("trap 'echo stopped; exit 130' INT; echo ready; while :; do :; done");
  options.on_line = [](std::string_view line) {
    if (line == "ready") request_interrupt();
  };
  const ProcessResult result = run_process(options);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.last_line, "stopped");
  EXPECT_THROW(run_process(options), Interrupted);  // nothing more is started
}

TEST_F(ProcessTest, EndsAChildThatDoesNotListen) {
  ProcessOptions options = shell("trap '' INT TERM; echo ready; while :; do sleep 1; done");
  options.grace = std::chrono::milliseconds(100);
  options.on_line = [](std::string_view line) {
    if (line == "ready") request_interrupt();
  };
  const Stopwatch watch;
  const ProcessResult result = run_process(options);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(watch.seconds(), 0.2);
  EXPECT_LT(watch.seconds(), 5);
}

TEST_F(ProcessTest, EndsWhatTheChildLeftRunning) {
  const Stopwatch watch;
  const ProcessResult result = run_process(shell("sleep 20 & echo $!; exit 4"));
  EXPECT_LT(watch.seconds(), 5);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_TRUE(is_gone(static_cast<pid_t>(std::stol(result.last_line))));
}

TEST_F(ProcessTest, LeavesNothingBehindWhenTheCallerFails) {
  ProcessOptions options = shell("echo $$; while :; do sleep 1; done");
  pid_t child = 0;
  options.on_line = [&](std::string_view line) {
    child = static_cast<pid_t>(std::stol(std::string(line)));
    throw Error("the caller fails");
  };
  EXPECT_THROW(run_process(options), Error);
  ASSERT_GT(child, 0);
  EXPECT_FALSE(exists(child));
}

TEST_F(ProcessTest, TheChildDiesWithItsParent) {
  std::filesystem::remove(log_);
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    ProcessOptions options = shell("echo $$; while :; do sleep 1; done");
    options.log = log_;
    run_process(options);
    _exit(0);
  }
  std::string text;
  for (int i = 0; i < 500 && text.find('\n') == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    text = read_all(log_);
  }
  ASSERT_THAT(text, HasSubstr("\n"));
  const auto child = static_cast<pid_t>(std::stol(text));
  ASSERT_TRUE(exists(child));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_TRUE(is_gone(child));
  std::filesystem::remove(log_);
}

}  // namespace
}  // namespace mpbench::bench
