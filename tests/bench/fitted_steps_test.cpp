#include "mpbench/bench/fitted_steps.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

/// Does each run by a function, and remembers which.
class FakeExecutor : public Executor {
 public:
  using Work = std::function<void(RunOutput& output)>;
  explicit FakeExecutor(Work work) : work_(std::move(work)) {}
  RunOutput execute(const RunSpec& spec) override {
    done.push_back(spec.run_id);
    RunOutput output;
    output.run.run_id = spec.run_id;
    output.run.status = RunStatus::ok;
    work_(output);
    return output;
  }
  std::vector<std::string> done;

 private:
  Work work_;
};

Grid two_arms() {
  Grid grid;
  grid.axes = {{"precision", {"fp32", "bf16"}}};
  grid.repeats = 2;
  grid.config.steps = 1000;
  return grid;
}

void take_100_ms_a_step(RunOutput& output) {
  output.run.step_ms_median = 100;
  output.run.n_train = 320;
  output.run.n_val = 0;
}

TEST(FittedStepsTest, FitsTheStepsToTheTime) {
  FakeExecutor trials(take_100_ms_a_step);
  const Grid grid = two_arms();
  const auto plan = make_plan(grid);
  const auto fitted = fit_steps(grid, plan, trials, /*sessions=*/2, /*max_time_s=*/100);
  EXPECT_EQ(trials.done.size(), 2U) << "one of each arm; the null arm is the baseline";
  // Nine tenths of 100 s, for two repeats of three processes of 0.1 s a step.
  EXPECT_NEAR(static_cast<double>(fitted.steps), 0.9 * 100 / 6 / 0.1, 2);
  EXPECT_NEAR(fitted.seconds, 90, 2);
  EXPECT_EQ(fit_steps(grid, plan, trials, 2, 1e6).steps, 1000);
  EXPECT_THROW(fit_steps(grid, plan, trials, 2, 0.5), UsageError);
}

TEST(FittedStepsTest, LeavesTimeForSessionsOfSpeedAlone) {
  FakeExecutor trials(take_100_ms_a_step);
  const Grid grid = two_arms();
  const auto plan = make_plan(grid);
  // A session has 6 rounds of 2 blocks of 3 processes, of a second each, and one block each before
  // them: 39 s.
  const auto fitted = fit_steps(grid, plan, trials, /*sessions=*/3, /*max_time_s=*/200);
  EXPECT_NEAR(static_cast<double>(fitted.steps), (0.9 * 200 - 39) / 6 / 0.1, 3);
  EXPECT_NEAR(estimate_sessions(grid, plan, trials, 3).seconds, 3 * 39, 1);
}

TEST(FittedStepsTest, TrialsThatFailLeaveTheStepsToTheRuns) {
  FakeExecutor trials([](RunOutput& output) { output.run.status = RunStatus::failed; });
  Grid grid = two_arms();
  grid.config.steps = 7;
  EXPECT_EQ(fit_steps(grid, make_plan(grid), trials, 6, 100).steps, 7);
}

}  // namespace
}  // namespace mpbench::bench
