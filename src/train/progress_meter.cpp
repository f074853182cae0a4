#include "progress_meter.hpp"

#include <utility>

namespace mpbench::train {
namespace {

// A rate over the last steps moves with the machine; one over the whole epoch lags behind it.
constexpr double rate_smoothing = 0.1;

}  // namespace

ProgressMeter::ProgressMeter(const ProgressFunction& progress, Progress work)
    : progress_(progress), work_(std::move(work)) {}

void ProgressMeter::report(std::int64_t done, std::int64_t recent, double seconds,
                           std::string detail) {
  if (!progress_) return;
  const double rate = static_cast<double>(recent) / seconds;
  double& smoothed = work_.units_per_s;
  smoothed = smoothed == 0 ? rate : smoothed + rate_smoothing * (rate - smoothed);
  work_.done = done;
  work_.detail = std::move(detail);
  progress_(work_);
}

}  // namespace mpbench::train
