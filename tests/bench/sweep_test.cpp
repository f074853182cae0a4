#include "mpbench/bench/sweep.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "mpbench/bench/fitted_steps.hpp"
#include "mpbench/bench/resumed_comparison.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::bench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Does each run by a function, and remembers which.
class FakeExecutor : public Executor {
 public:
  using Work = std::function<void(const RunSpec& spec, RunOutput& output)>;
  explicit FakeExecutor(Work work = {}) : work_(std::move(work)) {}

  RunOutput execute(const RunSpec& spec) override {
    done.push_back(spec.run_id);
    RunOutput output;
    output.run.run_id = spec.run_id;
    output.run.status = RunStatus::ok;
    output.run.repeat = spec.repeat;
    output.run.config_hash = "hash";
    output.predictions = {{.sample_id = "a", .group = "p"}};
    if (work_) work_(spec, output);
    return output;
  }

  std::vector<std::string> done;

 private:
  Work work_;
};

std::string same_hash(const train::TrainConfig&) { return "hash"; }

class SweepTest : public testing::Test {
 protected:
  SweepTest() { grid_.axes = {{"precision", {"fp32", "bf16"}}}; }
  ~SweepTest() override { request_interrupt(false); }

  std::vector<RunOutput> sweep(Executor& executor, SweepOptions options = {}) {
    options.out = folder_.path();
    return run_sweep(make_plan(grid_), executor, same_hash, options);
  }

  TemporaryFolder folder_;
  Grid grid_{.config = {}, .axes = {}, .repeats = 2};
};

constexpr const char* fp32_1 = "cnn-b32-inative-cl-s0-fp32-r1";
constexpr const char* bf16_1 = "cnn-b32-inative-cl-s0-bf16-r1";
constexpr const char* fp32_2 = "cnn-b32-inative-cl-s0-fp32-r2";
constexpr const char* bf16_2 = "cnn-b32-inative-cl-s0-bf16-r2";

TEST_F(SweepTest, DoesThePlanAndKeepsEachRunAsItEnds) {
  std::vector<std::size_t> kept;
  FakeExecutor executor(
      [&](const RunSpec&, RunOutput&) { kept.push_back(read_runs(folder_.path()).size()); });
  const auto runs = sweep(executor);
  EXPECT_THAT(executor.done, ElementsAre(fp32_1, bf16_1, bf16_2, fp32_2));
  EXPECT_THAT(kept, ElementsAre(0U, 1U, 2U, 3U));
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_THAT(runs.front().predictions, IsEmpty());
  EXPECT_EQ(read_predictions(folder_.path(), fp32_2).size(), 1U);
}

TEST_F(SweepTest, ResumesWhatIsNotDoneYet) {
  FakeExecutor first([](const RunSpec& spec, RunOutput& output) {
    if (spec.run_id == bf16_1) output.run.status = RunStatus::failed;
    if (spec.run_id == bf16_2) request_interrupt();
  });
  EXPECT_EQ(sweep(first).size(), 3U);
  request_interrupt(false);
  FakeExecutor second;
  EXPECT_EQ(sweep(second, {.resume = true}).size(), 4U);
  EXPECT_THAT(second.done, ElementsAre(bf16_1, fp32_2));

  FakeExecutor third;
  sweep(third);
  EXPECT_EQ(third.done.size(), 4U) << "without resume all are done again";
}

TEST_F(SweepTest, BeginsNoRoundThatWouldEndLate) {
  FakeExecutor executor([](const RunSpec&, RunOutput&) {});
  sweep(executor, {.max_time_s = 1e-9});
  EXPECT_THAT(executor.done, ElementsAre(fp32_1, bf16_1)) << "the first round is always done";
}

TEST_F(SweepTest, RefusesToPoolResultsOfOtherOptions) {
  FakeExecutor executor;
  sweep(executor);
  const auto plan = make_plan(grid_);
  const auto other_hash = [](const train::TrainConfig&) { return std::string("other"); };
  EXPECT_NO_THROW(require_same_options(folder_.path(), plan, grid_, same_hash, ""));
  EXPECT_THAT([&] { require_same_options(folder_.path(), plan, grid_, other_hash, ""); },
              ThrowsWith<UsageError>(fp32_1));
}

TEST_F(SweepTest, FitsTheStepsToTheTime) {
  FakeExecutor trials([](const RunSpec&, RunOutput& output) {
    output.run.step_ms_median = 100;
    output.run.n_train = 320;
    output.run.n_val = 0;
  });
  grid_.config.steps = 1000;
  const FittedSteps fitted = fit_steps(make_plan(grid_), trials, /*max_time_s=*/100);
  EXPECT_EQ(trials.done.size(), 2U) << "one of each arm";
  // Nine tenths of 100 s, for four runs of 0.1 s a step.
  EXPECT_NEAR(static_cast<double>(fitted.steps), 0.9 * 100 / 4 / 0.1, 2);
  EXPECT_NEAR(fitted.seconds, 90, 2);
  EXPECT_EQ(fit_steps(make_plan(grid_), trials, 1e6).steps, 1000);
  EXPECT_THROW(fit_steps(make_plan(grid_), trials, 0.5), UsageError);
}

TEST_F(SweepTest, TrialsThatFailLeaveTheStepsToTheRuns) {
  FakeExecutor trials(
      [](const RunSpec&, RunOutput& output) { output.run.status = RunStatus::failed; });
  grid_.config.steps = 7;
  EXPECT_EQ(fit_steps(make_plan(grid_), trials, 100).steps, 7);
}

}  // namespace
}  // namespace mpbench::bench
