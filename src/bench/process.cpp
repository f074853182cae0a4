#include "process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "mpbench/core/error.hpp"
#include "mpbench/core/file_descriptor.hpp"
#include "mpbench/core/interrupt.hpp"

extern char** environ;

namespace mpbench::bench {
namespace {

using Clock = std::chrono::steady_clock;
/// How often a silent child is looked at, and the stop flag with it.
constexpr int poll_ms = 50;
constexpr std::size_t longest_line = 64 * 1024;

Error system_error(const std::string& what) {
  return Error(fmt::format("{}: {}", what, std::strerror(errno)));
}

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("a pipe for a child process");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// A child that does not outlive this object.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    if (status_) return;
    kill(-id_, SIGKILL);
    while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// To the child alone, or to all it started as well.
  void send(int signal, bool whole_group = false) const { kill(whole_group ? -id_ : id_, signal); }

  bool ended() {
    if (status_) return true;
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
      if (errno == EINTR) return false;
      throw system_error("waiting for a child process");
    }
    if (info.si_pid == 0) return false;
    // What it left running would disturb the next measurement. While it is not reaped, its id names
    // no other group.
    send(SIGKILL, true);
    int status = 0;
    while (wait4(id_, &status, 0, &usage_) < 0 && errno == EINTR) {
    }
    status_ = status;
    return true;
  }

  void fill(ProcessResult& result) const {
    if (WIFEXITED(*status_)) {
      result.exit_code = WEXITSTATUS(*status_);
    } else {
      result.signal = WTERMSIG(*status_);
    }
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    result.peak_rss_bytes = std::int64_t{usage_.ru_maxrss} * 1024;
    result.cpu_time_s = seconds(usage_.ru_utime) + seconds(usage_.ru_stime);
  }

 private:
  pid_t id_;
  std::optional<int> status_;
  rusage usage_{};
};

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

/// Passes a stop on, a stronger signal each time the patience ends.
class Stopping {
 public:
  explicit Stopping(std::chrono::milliseconds grace) : grace_(grace) {}
  bool begun() const { return sent_ > 0; }

  void look(const Child& child) {
    if (!interrupt_requested() || sent_ == 3) return;
    if (begun() && Clock::now() < deadline_) return;
    if (sent_ == 0) child.send(SIGINT);
    if (sent_ == 1) child.send(SIGTERM);
    if (sent_ == 2) child.send(SIGKILL, true);
    ++sent_;
    deadline_ = Clock::now() + grace_;
  }

 private:
  std::chrono::milliseconds grace_;
  int sent_ = 0;
  Clock::time_point deadline_;
};

std::vector<std::string> make_environment(const ProcessOptions& options) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : options.environment) entries.push_back(name + '=' + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(options.environment.begin(), options.environment.end(),
                                      [&](const auto& added) { return added.first == name; });
    if (!replaced) entries.emplace_back(text);
  }
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// What the child does between fork and exec: system calls only, since other threads' locks were
/// copied as they were. Returns only when it fails, with errno set.
void become(char* const* argv, char* const* environment, int output, int null_input, pid_t parent) {
  if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  // The parent may have ended before prctl could tell the kernel.
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  if (dup2(null_input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(output, STDERR_FILENO) < 0) {
    return;
  }
  execvpe(argv[0], argv, environment);
}

/// Starts the program; its output comes from `output`.
pid_t start(const ProcessOptions& options, Pipe& output) {
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = make_environment(options);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const FileDescriptor null_input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null_input.get() < 0) throw system_error("/dev/null");
  Pipe failure = make_pipe();  // closed by a successful exec, else carries errno
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id < 0) throw system_error(options.argv.front());
  if (id == 0) {
    become(argv.data(), envp.data(), output.write.get(), null_input.get(), parent);
    const int cause = errno;
    [[maybe_unused]] const ssize_t told = write(failure.write.get(), &cause, sizeof cause);
    _exit(127);
  }
  output.write.close();
  failure.write.close();
  int cause = 0;
  ssize_t size = 0;
  do {
    size = read(failure.read.get(), &cause, sizeof cause);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof cause) {
    while (waitpid(id, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw Error(fmt::format("cannot start {}: {}", options.argv.front(), std::strerror(cause)));
  }
  return id;
}

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
  if (options.argv.empty()) throw Error("a process without a program");
  throw_if_interrupted();
  Output output(options);
  Pipe pipe = make_pipe();
  Child child(start(options, pipe));
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  Stopping stopping(options.grace);
  bool open = true;
  while (true) {
    // Asked before reading: what an ended child wrote is then all in the pipe. Its own children may
    // hold the pipe open for longer; they are not waited for.
    const bool ended = child.ended();
    if (open) open = drain(pipe.read.get(), output);
    if (ended) break;
    stopping.look(child);
    pollfd wait{.fd = open ? pipe.read.get() : -1, .events = POLLIN, .revents = 0};
    poll(&wait, 1, open ? poll_ms : 2);
  }
  ProcessResult result;
  child.fill(result);
  result.interrupted = stopping.begun();
  result.last_line = output.finish();
  return result;
}

std::string describe(const ProcessResult& result) {
  if (result.signal == 0) return fmt::format("exit code {}", result.exit_code);
  return fmt::format("killed by signal {} ({})", result.signal, strsignal(result.signal));
}

}  // namespace mpbench::bench
