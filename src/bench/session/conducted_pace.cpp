#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>

#include "../child_process.hpp"
#include "../cpu_seconds.hpp"
#include "control_channel.hpp"
#include "mpbench/bench/pace.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "turn_messages.hpp"

namespace mpbench::bench {
namespace {

/// How often a process that waits for its turn looks whether it was asked to stop. Rarely: waiting
/// must not take time from whose turn it is.
constexpr std::chrono::seconds between_looks{1};

rusage own_usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

/// Adds what the process used between two readings.
void add_usage(BlockStats& block, const rusage& before, const rusage& after) {
  block.cpu_time_s += cpu_seconds(after) - cpu_seconds(before);
  block.page_faults += after.ru_minflt - before.ru_minflt;
  block.major_page_faults += after.ru_majflt - before.ru_majflt;
  block.preemptions += after.ru_nivcsw - before.ru_nivcsw;
  block.voluntary_switches += after.ru_nvcsw - before.ru_nvcsw;
}

class ConductedPace : public Pace {
 public:
  explicit ConductedPace(FileDescriptor control) : channel_(std::move(control)) {}

  void wait_to_warm_up() override {
    channel_.send(loaded_message());
    if (wait_for_request().kind != TurnRequest::Kind::warm_up) {
      throw Error("the run was told to train before it was warm");
    }
  }

  void run_begins(std::int64_t total_steps) override { channel_.send(ready_message(total_steps)); }

  std::int64_t next_steps() override {
    if (to_the_end_) return train::Trainer::all_steps;
    if (left_ == 0) {
      const TurnRequest request = wait_for_request();
      if (request.kind == TurnRequest::Kind::stop) return 0;
      if (request.kind == TurnRequest::Kind::train_to_end) {
        profiles_ = false;
        to_the_end_ = true;
        return train::Trainer::all_steps;
      }
      left_ = request.steps;
      profiles_ = request.kind == TurnRequest::Kind::profile_steps;
      block_ = {};
    }
    before_ = own_usage();
    return left_;
  }

  bool profiles() const override { return profiles_; }

  void steps_done(const train::StepStats& stats, std::int64_t skipped_steps,
                  bool run_finished) override {
    if (to_the_end_) return;
    add_usage(block_, before_, own_usage());
    block_.steps += stats.steps;
    block_.images += stats.images;
    block_.skipped_steps += skipped_steps;
    block_.time_s += stats.time_s;
    block_.data_wait_s += stats.data_wait_s;
    block_.run_finished = run_finished;
    left_ -= stats.steps;
    if (run_finished) left_ = 0;
    if (left_ == 0) channel_.send(to_json(block_));
    // What follows, a validation say, is not asked for any more.
    to_the_end_ = run_finished;
  }

 private:
  TurnRequest wait_for_request() {
    while (true) {
      throw_if_interrupted();
      if (const auto message = channel_.receive(between_looks)) return turn_request_from(*message);
      if (channel_.closed()) throw Interrupted();
    }
  }

  ControlChannel channel_;
  BlockStats block_;
  rusage before_{};
  std::int64_t left_ = 0;  ///< steps of the turn that are to be done
  bool profiles_ = false;  ///< the steps of the turn
  bool to_the_end_ = false;
};

}  // namespace

std::unique_ptr<Pace> conducted_pace() {
  struct stat what {};
  if (fstat(control_descriptor, &what) != 0 || !S_ISSOCK(what.st_mode)) {
    throw UsageError("--take-turns: is for the processes that mpbench compare starts");
  }
  return std::make_unique<ConductedPace>(FileDescriptor(control_descriptor));
}

}  // namespace mpbench::bench
