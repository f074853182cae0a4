#include "mpbench/bench/comparison_options.hpp"

#include "mpbench/core/require.hpp"

namespace mpbench::bench {

void validate(const ComparisonOptions& options) {
  require(options.margin >= 0 && options.margin <= 1, "--margin", options.margin, "0 to 1");
  require(options.confidence > 0 && options.confidence < 1, "--confidence", options.confidence,
          "between 0 and 1");
}

}  // namespace mpbench::bench
