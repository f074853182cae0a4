#pragma once

#include <cstdint>
#include <string>

namespace mpbench::bench {

struct ComparisonOptions {
  std::string baseline_precision = "fp32";
  double margin = 0.01;      ///< in the metric's own units: 0.01 is one point of AUC or accuracy
  double confidence = 0.95;  ///< of both intervals
  /// Of the bootstrap over patients; 0, or without predictions: the t interval over the repeats.
  int resamples = 2000;
  std::uint64_t bootstrap_seed = 0;
};

/// Throws UsageError for a margin below 0 or a confidence outside (0, 1).
void validate(const ComparisonOptions& options);

}  // namespace mpbench::bench
