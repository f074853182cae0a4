#include "session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "../run_rows.hpp"
#include "block_plan.hpp"
#include "machine_meter.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/nvml.hpp"

namespace mpbench::bench {
namespace {

/// Enough to tell how long a step takes, roughly.
constexpr std::int64_t probe_steps = 2;

/// The GPU that the arms train on, without loading CUDA here.
device::GpuSensors gpu_of(const std::vector<SessionArm>& arms) {
  return device::GpuSensors::by_driver(device::find_device(arms.front().run.config.device));
}

/// One session on its way.
class Session {
 public:
  Session(std::vector<SessionArm>& arms, ArmStarter& starter, const SessionOptions& options)
      : arms_(arms),
        starter_(starter),
        options_(options),
        random_(mix_seed(options.seed, static_cast<std::uint64_t>(options.number))),
        processes_(arms.size()),
        left_(arms.size()),
        blocks_(arms.size()),
        meter_(gpu_of(arms)) {}

  SessionResult run() {
    const Stopwatch clock;
    result_.record.started_at = utc_now();
    const std::vector<std::size_t> order =
        start_order(arms_.size(), options_.number, options_.seed);
    if (options_.together) {
      run_in_turns(order);
    } else {
      for (const std::size_t each : order) run_in_turns({each});
    }
    result_.record.seconds = clock.seconds();
    return take_result();
  }

 private:
  /// Starts these processes, has them train in turns, and ends them.
  void run_in_turns(const std::vector<std::size_t>& order) {
    run_finished_ = false;
    start(order);
    const Stopwatch blocks_clock;
    meter_.start(process_ids());
    run_rounds(order);
    machine_.add(meter_.stop());
    result_.record.blocks_s += blocks_clock.seconds();
    for (const std::size_t each : order) {
      if (options_.profile_steps == 0 || !goes_on()) break;
      attempt(each, [&] { processes_[each]->profile_block(options_.profile_steps); });
    }
    for (const std::size_t each : order) {
      if (!goes_on()) break;
      attempt(each, [&] { left_[each] = processes_[each]->finish(); });
      processes_[each].reset();
    }
    for (const std::size_t each : order) processes_[each].reset();
  }

  /// Starts the processes and warms them up, one after another: so none chooses its kernels while
  /// another computes. For speed alone they may load at the same time; else how long a run takes to
  /// its first step is a result.
  void start(const std::vector<std::size_t>& order) {
    const Stopwatch clock;
    const auto begin = [&](std::size_t each) {
      attempt(each, [&] { processes_[each] = starter_.start(arms_[each].run, options_.kind); });
      ++started_;
    };
    const bool load_together = options_.kind == SessionKind::speed_only;
    if (load_together) std::for_each(order.begin(), order.end(), begin);
    for (const std::size_t each : order) {
      if (!load_together) begin(each);
      attempt(each, [&] { processes_[each]->wait_until_loaded(); });
      if (!load_together) warm_up(each);
    }
    if (load_together) {
      for (const std::size_t each : order) warm_up(each);
    }
    result_.record.start_s += clock.seconds();
  }

  void warm_up(std::size_t each) {
    attempt(each, [&] {
      const std::int64_t steps = processes_[each]->warm_up();
      total_steps_ = total_steps_ == 0 ? steps : std::min(total_steps_, steps);
    });
  }

  /// For the blocks of all processes; asked for once, when it is known what starting takes.
  double block_budget_s() {
    if (!options_.block_budget) return 0;
    if (!budget_s_) {
      const auto started = static_cast<double>(std::max<std::size_t>(started_, 1));
      budget_s_ = options_.block_budget(result_.record.start_s / started *
                                        static_cast<double>(arms_.size()));
    }
    return *budget_s_;
  }

  /// Does something with a process that is still there; one that ended is out.
  void attempt(std::size_t each, const std::function<void()>& work) {
    throw_if_interrupted();
    if (left_[each] || stopped_) return;
    try {
      work();
    } catch (ArmEnded& ended) {
      left_[each] = std::move(ended.output);
      processes_[each].reset();
      const RunStatus status = left_[each]->run.status;
      if (status == RunStatus::ok) return;  // it had no steps left
      stopped_ = stopped_ || (options_.stop_on_oom && status == RunStatus::oom);
      spdlog::warn("session {}: {} ended: {}", options_.number, arms_[each].run.run_id,
                   ended.what());
      blocks_[each].clear();
    }
  }

  bool is_out(std::size_t each) const { return left_[each] && processes_[each] == nullptr; }

  /// The baseline is the first of the arms. While it has not begun, it has not ended either.
  bool baseline_came_through() const {
    return !left_.front() || left_.front()->run.status == RunStatus::ok;
  }

  /// Whether there is any use in what follows.
  bool goes_on() const { return baseline_came_through() && !stopped_; }

  void run_rounds(const std::vector<std::size_t>& order) {
    for (const std::size_t each : order) {
      if (arms_[each].step_s > 0 || !goes_on()) continue;
      attempt(each, [&] { note_step_time(each, processes_[each]->train_block(probe_steps)); });
    }
    BlockPlan plan = plan_for_all();
    for (int round = 0; round <= plan.rounds && !run_finished_; ++round) {
      if (!goes_on()) return;
      run_round(order, plan, round);
      // Now more is known of how long a step takes.
      if (round == 0) plan = plan_for_all();
    }
    result_.record.rounds = plan.rounds;
    rounds_ = plan.rounds;
  }

  /// Of all that are there; none where one of them has no number.
  std::vector<pid_t> process_ids() const {
    std::vector<pid_t> ids;
    for (const auto& process : processes_) {
      if (process == nullptr) continue;
      const auto id = process->process_id();
      if (!id) return {};
      ids.push_back(*id);
    }
    return ids;
  }

  void run_round(const std::vector<std::size_t>& order, const BlockPlan& plan, int round) {
    std::int64_t place = 0;
    const std::size_t middle = static_cast<std::size_t>(options_.number + round) % order.size();
    std::vector<std::size_t> turns = round_order(order.size(), middle, random_);
    if (round == 0) turns.resize(order.size());  // to warm up, once is enough
    for (const std::size_t turn : turns) {
      const std::size_t each = order[turn];
      if (is_out(each) || run_finished_) continue;
      attempt(each, [&] {
        const BlockStats block = processes_[each]->train_block(plan.steps[each]);
        run_finished_ = run_finished_ || block.run_finished;
        if (round == 0) note_step_time(each, block);
        blocks_[each].push_back(record(each, round, place, block));
      });
      ++place;
    }
    report(round, plan.rounds);
  }

  void report(int round, int rounds) const {
    if (!options_.progress) return;
    options_.progress({.label = fmt::format("session {}", options_.number),
                       .done = round,
                       .total = rounds,
                       .unit = "rounds",
                       .detail = options_.configuration});
  }

  void note_step_time(std::size_t each, const BlockStats& block) {
    if (block.steps > 0) arms_[each].step_s = block.time_s / static_cast<double>(block.steps);
  }

  /// Of every process, in the order of the arms. Those that are run one after another all have the
  /// first one's rounds.
  BlockPlan plan_for_all() {
    double known_s = arms_.front().step_s;
    for (const SessionArm& arm : arms_) known_s = known_s > 0 ? known_s : arm.step_s;
    std::vector<double> step_s;
    for (const SessionArm& arm : arms_) {
      step_s.push_back(std::max(arm.step_s > 0 ? arm.step_s : known_s, 1e-6));
    }
    BlockPlan plan =
        plan_blocks(step_s, {.budget_s = block_budget_s(),
                             .total_steps = std::max<std::int64_t>(1, total_steps_ - probe_steps),
                             .rounds = rounds_.value_or(options_.rounds)});
    if (rounds_) plan.rounds = *rounds_;
    return plan;
  }

  BlockRecord record(std::size_t each, int round, std::int64_t place,
                     const BlockStats& block) const {
    const Arm& arm = *arms_[each].arm;
    return {.configuration = options_.configuration,
            .arm = arm.name,
            .arm_kind = arm.kind,
            .compared_with = arm.compared_with,
            .session = options_.number,
            .round = round,
            .place = place,
            .steps = block.steps,
            .images = block.images,
            .skipped_steps = block.skipped_steps,
            .time_s = block.time_s,
            .data_wait_s = block.data_wait_s,
            .cpu_time_s = block.cpu_time_s,
            .page_faults = block.page_faults,
            .major_page_faults = block.major_page_faults,
            .preemptions = block.preemptions,
            .voluntary_switches = block.voluntary_switches,
            .config_hash = arms_[each].config_hash};
  }

  /// Rounds that a run's end cut short are no rounds: they would have but one half of some arms.
  void drop_incomplete_rounds() {
    const auto blocks_of = [&](std::size_t each, std::int64_t round) {
      return std::count_if(blocks_[each].begin(), blocks_[each].end(),
                           [&](const BlockRecord& block) { return block.round == round; });
    };
    for (std::int64_t round = 1; round <= result_.record.rounds; ++round) {
      bool complete = true;
      for (std::size_t each = 0; each < arms_.size(); ++each) {
        const bool came_through = left_[each] && left_[each]->run.status == RunStatus::ok;
        complete = complete && (!came_through || blocks_of(each, round) == 2);
      }
      if (complete) continue;
      for (auto& blocks : blocks_) {
        std::erase_if(blocks, [&](const BlockRecord& block) { return block.round >= round; });
      }
      result_.record.rounds = round - 1;
    }
  }

  SessionResult take_result() {
    drop_incomplete_rounds();
    for (std::size_t each = 0; each < arms_.size(); ++each) {
      if (!left_[each]) continue;  // it was not needed any more: the baseline had ended
      const Arm& arm = *arms_[each].arm;
      RunRecord& run = left_[each]->run;
      run.configuration = options_.configuration;
      run.arm = arm.name;
      run.arm_kind = arm.kind;
      run.compared_with = arm.compared_with;
      if (run.status == RunStatus::ok) {
        result_.blocks.insert(result_.blocks.end(), blocks_[each].begin(), blocks_[each].end());
      }
      result_.runs.push_back(std::move(*left_[each]));
    }
    result_.record.configuration = options_.configuration;
    result_.record.session = options_.number;
    result_.record.kind = options_.kind;
    result_.record.together = options_.together;
    result_.record.processes = static_cast<std::int64_t>(arms_.size());
    fill_machine(result_.record, machine_);
    return std::move(result_);
  }

  std::vector<SessionArm>& arms_;
  ArmStarter& starter_;
  const SessionOptions& options_;
  SplitMix64 random_;
  std::vector<std::unique_ptr<ArmProcess>> processes_;
  std::vector<std::optional<RunOutput>> left_;  ///< of those that have ended
  std::vector<std::vector<BlockRecord>> blocks_;
  MachineMeter meter_;
  MachineUse machine_;
  SessionResult result_;
  std::size_t started_ = 0;  ///< processes
  std::optional<double> budget_s_;
  std::optional<int> rounds_;     ///< of the processes that have had theirs
  std::int64_t total_steps_ = 0;  ///< of the shortest run
  bool run_finished_ = false;     ///< a run has no steps left for further rounds
  bool stopped_ = false;          ///< memory ran out, and the session will be done in another way
};

}  // namespace

SessionResult run_session(std::vector<SessionArm>& arms, ArmStarter& starter,
                          const SessionOptions& options) {
  return Session(arms, starter, options).run();
}

}  // namespace mpbench::bench
