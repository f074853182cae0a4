#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mpbench::bench {

struct ProcessOptions {
  /// argv[0] is the program's path; without a slash it is looked for in PATH.
  std::vector<std::string> argv{};
  /// Added to what this process has, or in place of it.
  std::vector<std::pair<std::string, std::string>> environment{};
  std::filesystem::path log{};  ///< its stdout and stderr are appended here; empty: kept nowhere
  /// Called with every whole line of output, without its line feed, as it comes.
  std::function<void(std::string_view line)> on_line{};
  /// How long after each of SIGINT and SIGTERM the child may take to end before the next signal.
  std::chrono::milliseconds grace{10000};
};

struct ProcessResult {
  int exit_code = -1;        ///< -1 when a signal ended it
  int signal = 0;            ///< 0 when it ended by itself
  bool interrupted = false;  ///< a stop was asked for here and passed on to it
  /// Largest resident set as wait4(2) tells, in bytes. Linux counts the moment before exec too, so
  /// it is never below what this process itself had: an upper bound, for children that could not
  /// say themselves.
  std::int64_t peak_rss_bytes = 0;
  double cpu_time_s = 0;
  std::string last_line;  ///< the last line of output that is not blank
};

/// Runs a program to its end. Its stdin is /dev/null and it has a process group of its own, so that
/// a Ctrl-C reaches it once, from here: when interrupt_requested() becomes true it gets SIGINT,
/// after `grace` SIGTERM, after another SIGKILL. What it started itself and left running is killed
/// when it ends; the kernel kills it should the calling thread end first. Throws Interrupted when a
/// stop was asked for before it started, and Error when it cannot be started, naming the program
/// and the cause.
ProcessResult run_process(const ProcessOptions& options);

/// How it ended, in words: "exit code 3", "killed by signal 9 (Killed)".
std::string describe(const ProcessResult& result);

}  // namespace mpbench::bench
