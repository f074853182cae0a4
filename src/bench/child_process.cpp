#include "child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cpu_seconds.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"

extern char** environ;

namespace mpbench::bench {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> make_environment(const Environment& added) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : added) entries.push_back(name + '=' + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(added.begin(), added.end(),
                                      [&](const auto& variable) { return variable.first == name; });
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

/// Gives the child its descriptors; false where that fails. The control descriptor comes last: its
/// number may be that of another one.
bool connect(int null_input, const ChildDescriptors& descriptors) {
  if (dup2(null_input, STDIN_FILENO) < 0 || dup2(descriptors.output, STDOUT_FILENO) < 0 ||
      dup2(descriptors.output, STDERR_FILENO) < 0) {
    return false;
  }
  if (descriptors.control < 0) return true;
  if (descriptors.control != control_descriptor) {
    return dup2(descriptors.control, control_descriptor) >= 0;
  }
  return fcntl(control_descriptor, F_SETFD, 0) == 0;
}

/// What the child does between fork and exec: system calls only, since other threads' locks were
/// copied as they were. Returns only when it fails, with errno set. `failure` stays open until then
/// and has a number above control_descriptor.
void become(char* const* argv, char* const* environment, int null_input,
            const ChildDescriptors& descriptors, pid_t parent) {
  if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  // The parent may have ended before prctl could tell the kernel.
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  if (!connect(null_input, descriptors)) return;
  execvpe(argv[0], argv, environment);
}

/// Moves a descriptor out of the way of control_descriptor.
FileDescriptor moved_up(FileDescriptor descriptor) {
  if (descriptor.get() > control_descriptor) return descriptor;
  const int moved = fcntl(descriptor.get(), F_DUPFD_CLOEXEC, control_descriptor + 1);
  if (moved < 0) throw system_error("a descriptor for a child process");
  return FileDescriptor(moved);
}

pid_t start(const std::vector<std::string>& program, const Environment& added,
            ChildDescriptors descriptors) {
  std::vector<std::string> arguments = program;
  std::vector<std::string> environment = make_environment(added);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const FileDescriptor null_input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null_input.get() < 0) throw system_error("/dev/null");
  DescriptorPair failure = make_pipe();  // closed by a successful exec, else carries errno
  FileDescriptor failed = moved_up(std::move(failure.second));
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id < 0) throw system_error(program.front());
  if (id == 0) {
    become(argv.data(), envp.data(), null_input.get(), descriptors, parent);
    const int cause = errno;
    [[maybe_unused]] const ssize_t told = write(failed.get(), &cause, sizeof cause);
    _exit(127);
  }
  failed.close();
  int cause = 0;
  ssize_t size = 0;
  do {
    size = read(failure.first.get(), &cause, sizeof cause);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof cause) {
    while (waitpid(id, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw Error(fmt::format("cannot start {}: {}", program.front(), std::strerror(cause)));
  }
  return id;
}

}  // namespace

Error system_error(const std::string& what) {
  return Error(fmt::format("{}: {}", what, std::strerror(errno)));
}

DescriptorPair make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("a pipe for a child process");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

DescriptorPair make_socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw system_error("a socket pair for a child process");
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const Environment& environment,
                           ChildDescriptors descriptors) {
  if (argv.empty()) throw Error("a process without a program");
  throw_if_interrupted();
  id_ = start(argv, environment, descriptors);
}

ChildProcess::~ChildProcess() {
  if (status_) return;
  kill(-id_, SIGKILL);
  while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::send(int signal, bool whole_group) const {
  kill(whole_group ? -id_ : id_, signal);
}

bool ChildProcess::ended() {
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

void ChildProcess::fill(ProcessResult& result) const {
  if (WIFEXITED(*status_)) {
    result.exit_code = WEXITSTATUS(*status_);
  } else {
    result.signal = WTERMSIG(*status_);
  }
  result.peak_rss_bytes = std::int64_t{usage_.ru_maxrss} * 1024;
  result.cpu_time_s = cpu_seconds(usage_);
}

void StopForwarder::look(const ChildProcess& child) {
  if (!interrupt_requested() || sent_ == 3) return;
  const auto now = std::chrono::steady_clock::now();
  if (begun() && now < deadline_) return;
  if (sent_ == 0) child.send(SIGINT);
  if (sent_ == 1) child.send(SIGTERM);
  if (sent_ == 2) child.send(SIGKILL, true);
  ++sent_;
  deadline_ = now + grace_;
}

}  // namespace mpbench::bench
