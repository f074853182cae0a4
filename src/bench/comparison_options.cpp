#include "mpbench/bench/comparison_options.hpp"

#include "mpbench/core/require.hpp"

namespace mpbench::bench {

void validate(const SpeedOptions& options) {
  require(options.confidence > 0 && options.confidence < 1, "--confidence", options.confidence,
          "between 0 and 1");
  require(options.equivalence > 0 && options.equivalence <= 1, "--equivalence", options.equivalence,
          "above 0, at most 1");
  require(options.target > 0 && options.target <= 1, "--target-precision", options.target,
          "above 0, at most 1");
  for (const int look : options.looks) require(look >= 2, "--sessions", look, "2 or more");
}

void validate(const ComparisonOptions& options) {
  validate(options.speed);
  require(options.margin >= 0 && options.margin <= 1, "--margin", options.margin, "0 to 1");
  require(options.confidence > 0 && options.confidence < 1, "--confidence", options.confidence,
          "between 0 and 1");
}

}  // namespace mpbench::bench
