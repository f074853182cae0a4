#include "mpbench/profile/step_profiler.hpp"

#include <set>

#include "convolution_timing.hpp"
#include "gradient_shares.hpp"
#include "kineto_events.hpp"
#include "mpbench/core/error.hpp"
#include "operator_table.hpp"

namespace mpbench::profile {
namespace {

namespace kineto = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

/// What the slowest convolutions may take to be run by themselves.
constexpr double convolutions_budget_s = 5;

}  // namespace

struct StepProfiler::State {
  explicit State(c10::Device on) : device(on) {}

  std::set<ActivityType> activities() const {
    std::set<ActivityType> all{ActivityType::CPU};
    if (device.is_cuda()) all.insert(ActivityType::CUDA);
    return all;
  }

  c10::Device device;
  OperatorTable table;
  bool running = false;
  std::unique_ptr<kineto::ProfilerResult> last;
};

StepProfiler::StepProfiler(c10::Device device) : state_(std::make_unique<State>(device)) {}
StepProfiler::~StepProfiler() {
  if (state_->running) kineto::disableProfiler();
}

void StepProfiler::start() {
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO,
                                                     /*report_input_shapes=*/true);
  kineto::prepareProfiler(config, state_->activities());
  kineto::enableProfiler(config, state_->activities());
  state_->running = true;
}

void StepProfiler::stop(std::int64_t steps, double seconds, double data_wait_s) {
  state_->running = false;
  state_->last = kineto::disableProfiler();
  const TimedDevice device = state_->device.is_cuda() ? TimedDevice::gpu : TimedDevice::cpu;
  state_->table.add(host_events(*state_->last), device, steps, seconds, data_wait_s);
}

std::int64_t StepProfiler::steps() const { return state_->table.steps(); }

StepProfile StepProfiler::profile(bool channels_last) const {
  const OperatorTable& table = state_->table;
  StepProfile profile{
      .operators = table.records(),
      .convolutions = time_convolutions(table.convolutions(), table.steps(), state_->device,
                                        channels_last, convolutions_budget_s)};
  share_gradients(profile.operators, profile.convolutions);
  return profile;
}

void StepProfiler::write_trace(const std::filesystem::path& path) const {
  if (state_->last == nullptr) throw Error("there is no profile to write a trace of");
  state_->last->save(path.string());
  if (!std::filesystem::exists(path)) {
    throw Error(path.string() + ": the trace cannot be written");
  }
}

}  // namespace mpbench::profile
