#pragma once

#include <cstdint>

namespace mpbench::stats {

/// Two-sided p value of McNemar's exact test (McNemar, 1947) of whether two classifiers are right
/// equally often, judged on the same samples: of the samples that one of them alone got right, each
/// falls on either side with probability 1/2. 1 when there are none. The test takes the samples to
/// be independent, so images of one patient make it too small. Throws Error for a negative count.
double mcnemar_exact(std::int64_t only_baseline_right, std::int64_t only_arm_right);

}  // namespace mpbench::stats
