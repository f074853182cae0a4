#include "mpbench/bench/comparison_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {

void validate(const ComparisonOptions& options) {
  if (!(options.margin >= 0)) {
    throw UsageError(fmt::format("a margin is 0 or more, not {}", options.margin));
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw UsageError(fmt::format("a confidence is between 0 and 1, not {}", options.confidence));
  }
}

}  // namespace mpbench::bench
