#pragma once

#include <string>

#include "mpbench/bench/speed_options.hpp"

namespace mpbench::bench {

struct ComparisonOptions {
  /// Of runs that do not say what they are compared with.
  std::string baseline_precision = "fp32";
  SpeedOptions speed;
  int folds = 0;             ///< of the cross-validation that the configurations are of; 0: none
  double margin = 0.01;      ///< in the metric's own units: 0.01 is one point of AUC or accuracy
  double confidence = 0.95;  ///< of the metric's interval
};

/// Throws UsageError for a value out of range.
void validate(const ComparisonOptions& options);

}  // namespace mpbench::bench
