#include "process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "child_process.hpp"
#include "mpbench/core/interrupt.hpp"

namespace mpbench::bench {
namespace {

/// How often a silent child is looked at, and the stop flag with it.
constexpr int poll_ms = 50;
constexpr std::size_t longest_line = 64 * 1024;

/// Cuts output into lines, and copies it to the log as it comes.
class Output {
 public:
  explicit Output(const ProcessOptions& options) : options_(options), log_(open_log(options.log)) {}

  void take(std::string_view text) {
    if (log_.get() >= 0) append_to_log(text);
    for (const char c : text) {
      if (c == '\n' || partial_.size() >= longest_line) end_line();
      if (c != '\n') partial_ += c;
    }
  }

  std::string finish() {
    if (!partial_.empty()) end_line();
    return std::move(last_);
  }

 private:
  static FileDescriptor open_log(const std::filesystem::path& path) {
    if (path.empty()) return FileDescriptor();
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) throw system_error(path.string());
    return FileDescriptor(file);
  }

  void append_to_log(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(log_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw system_error(options_.log.string());
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void end_line() {
    if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
    if (options_.on_line) options_.on_line(partial_);
    if (partial_.find_first_not_of(" \t\r") != std::string::npos) last_ = partial_;
    partial_.clear();
  }

  const ProcessOptions& options_;
  FileDescriptor log_;
  std::string partial_;
  std::string last_;
};

/// Takes what is there to read; false at the end of the output. Not without end, should the child
/// write faster than it is read: the stop flag wants a look too.
bool drain(int descriptor, Output& output) {
  std::array<char, 16384> buffer{};
  for (int reads = 0; reads < 64; ++reads) {
    const ssize_t size = read(descriptor, buffer.data(), buffer.size());
    if (size > 0) output.take({buffer.data(), static_cast<std::size_t>(size)});
    if (size == 0) return false;
    if (size < 0 && errno == EAGAIN) return true;
    if (size < 0 && errno != EINTR) throw system_error("reading a child's output");
  }
  return true;
}

}  // namespace

ProcessResult run_process(const ProcessOptions& options) {
  throw_if_interrupted();
  Output output(options);
  DescriptorPair pipe = make_pipe();
  ChildProcess child(options.argv, options.environment, {.output = pipe.second.get()});
  pipe.second.close();
  const FileDescriptor& from_child = pipe.first;
  fcntl(from_child.get(), F_SETFL, O_NONBLOCK);
  StopForwarder stop(options.grace);
  bool open = true;
  while (true) {
    // Asked before reading: what an ended child wrote is then all in the pipe. Its own children may
    // hold the pipe open for longer; they are not waited for.
    const bool ended = child.ended();
    if (open) open = drain(from_child.get(), output);
    if (ended) break;
    stop.look(child);
    pollfd wait{.fd = open ? from_child.get() : -1, .events = POLLIN, .revents = 0};
    poll(&wait, 1, open ? poll_ms : 2);
  }
  ProcessResult result;
  child.fill(result);
  result.interrupted = stop.begun();
  result.last_line = output.finish();
  return result;
}

std::string describe(const ProcessResult& result) {
  if (result.signal == 0) return fmt::format("exit code {}", result.exit_code);
  return fmt::format("killed by signal {} ({})", result.signal, strsignal(result.signal));
}

}  // namespace mpbench::bench
