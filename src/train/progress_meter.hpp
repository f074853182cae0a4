#pragma once

#include <cstdint>
#include <string>

#include "mpbench/core/progress.hpp"

namespace mpbench::train {

/// Reports work that goes on for long, with the rate of late.
class ProgressMeter {
 public:
  /// `work` has the label, the total and the unit. `progress` must outlive this, and may be empty.
  ProgressMeter(const ProgressFunction& progress, Progress work);

  /// `done` units in all, of which `recent` took the last `seconds`.
  void report(std::int64_t done, std::int64_t recent, double seconds, std::string detail);

 private:
  const ProgressFunction& progress_;
  Progress work_;
};

}  // namespace mpbench::train
