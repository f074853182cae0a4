#pragma once

#include <string>
#include <vector>

namespace mpbench::bench {

/// How speeds are judged.
struct SpeedOptions {
  double confidence = 0.95;   ///< of all looks together
  double equivalence = 0.02;  ///< a difference in speed up to which arms are equivalent; a share
  double target = 0.01;       ///< an interval whose half is no wider than this is good enough
  /// After so many sessions the verdicts are looked at, and the comparison ends if they are clear.
  std::vector<int> looks{6, 12, 18};
  std::string primary;  ///< the arm that is tested first, and alone decides whether the others are;
                        ///< empty: none, all are tested by Holm's procedure
};

/// Throws UsageError for a value out of range.
void validate(const SpeedOptions& options);

}  // namespace mpbench::bench
