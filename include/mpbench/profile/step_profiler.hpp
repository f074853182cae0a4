#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "mpbench/profile/operator_record.hpp"

namespace mpbench::profile {

/// What a profile says of the steps that it was made of.
struct StepProfile {
  std::vector<OperatorRecord> operators;  ///< the slowest first
  std::vector<ConvolutionRecord> convolutions;
};

/// Looks on training steps with LibTorch's profiler (Kineto; CUPTI on a GPU). Between start() and
/// stop() steps take longer than they otherwise do: nothing else should be measured there.
class StepProfiler {
 public:
  explicit StepProfiler(c10::Device device);
  ~StepProfiler();
  StepProfiler(const StepProfiler&) = delete;
  StepProfiler& operator=(const StepProfiler&) = delete;

  void start();
  /// Ends what start() began. `seconds`: what the steps took together; `data_wait_s`: part of it.
  void stop(std::int64_t steps, double seconds, double data_wait_s);
  /// The steps between all starts and stops.
  std::int64_t steps() const;

  /// What the steps' time went to, and what their slowest convolutions take by themselves; those
  /// are run again for it, for a few seconds at most. `channels_last`: the memory format that they
  /// ran in. To be called where the steps' kernels are in place.
  StepProfile profile(bool channels_last) const;

  /// The events of the last start() as a Chrome trace, which Perfetto and chrome://tracing open.
  /// Throws Error where the file cannot be written.
  void write_trace(const std::filesystem::path& path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mpbench::profile
