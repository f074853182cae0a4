#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "../child_process.hpp"
#include "../ended_run.hpp"
#include "control_channel.hpp"
#include "mpbench/bench/arm_process.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "turn_messages.hpp"

namespace mpbench::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// How often a process that is waited for is looked at, and the stop flag with it.
constexpr milliseconds between_checks{50};
/// What a process may take to end once it has closed its side.
constexpr milliseconds patience{10000};

FileDescriptor open_log(const fs::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) throw system_error(path.string());
  return FileDescriptor(file);
}

/// The last line of a file that is not blank, of its last 4 KiB.
std::string last_line_of(const fs::path& path) {
  constexpr std::streamoff most = 4096;
  std::ifstream file(path, std::ios::ate | std::ios::binary);
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - most));
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last;
}

std::vector<std::string> command_line(const RunSpec& run, SessionKind kind,
                                      const fs::path& folder) {
  std::vector<std::string> words{run.program.empty() ? "/proc/self/exe" : run.program.string(),
                                 "train",
                                 "--config",
                                 (folder / "run.toml").string(),
                                 "--out",
                                 folder.string(),
                                 "--run-id",
                                 run.run_id,
                                 "--repeat",
                                 std::to_string(run.repeat),
                                 "--progress",
                                 "never",
                                 "--take-turns"};
  if (kind == SessionKind::speed_only) words.emplace_back("--no-validation");
  return words;
}

class ProcessArm : public ArmProcess {
 public:
  ProcessArm(const RunSpec& run, SessionKind kind, fs::path folder)
      : run_(run),
        kind_(kind),
        folder_(std::move(folder)),
        sockets_(make_socket_pair()),
        log_(open_log(folder_ / "output.log")),
        child_(command_line(run, kind, folder_), {},
               {.output = log_.get(), .control = sockets_.second.get()}),
        channel_(std::move(sockets_.first)) {
    sockets_.second.close();  // so that the channel closes when the child ends
    log_.close();
  }

  void wait_until_loaded() override { require_loaded(wait_for_message()); }

  std::int64_t warm_up() override {
    request({.kind = TurnRequest::Kind::warm_up});
    return steps_when_ready(wait_for_message());
  }

  BlockStats train_block(std::int64_t steps) override {
    request({.kind = TurnRequest::Kind::train_steps, .steps = steps});
    return block_stats_from(wait_for_message());
  }

  BlockStats profile_block(std::int64_t steps) override {
    request({.kind = TurnRequest::Kind::profile_steps, .steps = steps});
    return block_stats_from(wait_for_message());
  }

  RunOutput finish() override {
    request({.kind = kind_ == SessionKind::training ? TurnRequest::Kind::train_to_end
                                                    : TurnRequest::Kind::stop});
    wait_for_end();
    RunOutput left = what_it_left();
    if (left.run.status != RunStatus::ok) throw ArmEnded(std::move(left));
    return left;
  }

  std::optional<pid_t> process_id() const override { return child_.id(); }

 private:
  void request(const TurnRequest& request) {
    try {
      channel_.send(to_json(request));
    } catch (const Error&) {
      throw_ended();
    }
  }

  nlohmann::json wait_for_message() {
    while (true) {
      if (auto message = channel_.receive(between_checks)) return *std::move(message);
      // A process may close its side a moment before it has ended.
      if (channel_.closed() || child_.ended()) throw_ended();
      if (interrupt_requested()) throw_ended();
    }
  }

  /// Waits for the process, and passes a stop on to it.
  void wait_for_end() {
    while (!child_.ended()) {
      stop_.look(child_);
      std::this_thread::sleep_for(milliseconds(10));
    }
  }

  [[noreturn]] void throw_ended() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!child_.ended()) {
      stop_.look(child_);
      if (!interrupt_requested() && std::chrono::steady_clock::now() > deadline) {
        child_.send(SIGKILL, /*whole_group=*/true);
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    if (interrupt_requested()) throw Interrupted();
    throw ArmEnded(what_it_left());
  }

  /// Of the process, which has ended.
  RunOutput what_it_left() {
    ProcessResult process;
    child_.fill(process);
    process.interrupted = stop_.begun();
    process.last_line = last_line_of(folder_ / "output.log");
    return read_run(folder_, run_, process);
  }

  RunSpec run_;
  SessionKind kind_;
  fs::path folder_;
  DescriptorPair sockets_;
  FileDescriptor log_;
  ChildProcess child_;
  ControlChannel channel_;
  StopForwarder stop_{patience};
};

}  // namespace

ArmEnded::ArmEnded(RunOutput left)
    : Error(fmt::format("{}: {}", enum_name(left.run.status), left.run.error)),
      output(std::move(left)) {}

std::unique_ptr<ArmProcess> ProcessStarter::start(const RunSpec& run, SessionKind kind) {
  const fs::path folder = out_ / "runs" / run.run_id;
  fs::remove_all(folder);
  make_writable_folder(folder);
  write_file(folder / "run.toml", train::to_toml(run.config));
  return std::make_unique<ProcessArm>(run, kind, folder);
}

}  // namespace mpbench::bench
