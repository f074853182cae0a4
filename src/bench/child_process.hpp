#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/file_descriptor.hpp"
#include "process.hpp"

namespace mpbench::bench {

/// An error of a system call, with errno's text.
Error system_error(const std::string& what);

/// The two ends of a connection: what is written to one is read from the other.
struct DescriptorPair {
  FileDescriptor first;
  FileDescriptor second;
};

/// pipe2(2): `first` is read from. No other program that is started inherits them.
DescriptorPair make_pipe();
/// socketpair(2): both ends read and write.
DescriptorPair make_socket_pair();

/// What a child process finds open, besides /dev/null as its stdin.
struct ChildDescriptors {
  int output = -1;   ///< its stdout and stderr
  int control = -1;  ///< its descriptor `control_descriptor`; below 0: it has none
};

/// The number under which a child finds ChildDescriptors::control.
inline constexpr int control_descriptor = 3;

/// A started program. It has a process group of its own, and does not outlive this object, nor the
/// thread that started it.
class ChildProcess {
 public:
  /// Throws Error when it cannot be started, naming the program and the cause.
  ChildProcess(const std::vector<std::string>& argv,
               const std::vector<std::pair<std::string, std::string>>& environment,
               ChildDescriptors descriptors);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// To the child alone, or to all that it started as well.
  void send(int signal, bool whole_group = false) const;
  /// Whether it has ended; does not wait. What it left running is killed then.
  bool ended();
  /// How it ended, once it has.
  void fill(ProcessResult& result) const;
  pid_t id() const { return id_; }

 private:
  pid_t id_;
  std::optional<int> status_;
  rusage usage_{};
};

/// Passes a stop on to a child, a stronger signal each time the patience ends: SIGINT, SIGTERM,
/// SIGKILL.
class StopForwarder {
 public:
  explicit StopForwarder(std::chrono::milliseconds grace) : grace_(grace) {}
  bool begun() const { return sent_ > 0; }
  /// To be called again and again while interrupt_requested().
  void look(const ChildProcess& child);

 private:
  std::chrono::milliseconds grace_;
  int sent_ = 0;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace mpbench::bench
