#pragma once

#include <vector>

#include "mpbench/bench/comparison.hpp"

namespace mpbench::bench {

/// One comparison over all folds for each arm that was compared in two or more of them, where
/// configurations differ in their --fold alone (`--folds 5 --axis fold=0,1,2,3,4`). The metric's
/// difference is the mean over folds, its interval that of stats::fold_interval; speeds are those
/// of the folds' own rows. `folds`: how many --folds made.
std::vector<Comparison> compare_over_folds(const std::vector<Comparison>& rows, int folds,
                                           const ComparisonOptions& options);

}  // namespace mpbench::bench
