#pragma once

#include <vector>

#include "mpbench/bench/comparison.hpp"

namespace mpbench::bench {

/// One comparison over all folds for each arm that was compared in two or more of them, where
/// configurations differ in their --fold alone (`--folds 5 --axis fold=0,1,2,3,4`). The metric's
/// difference is the mean over folds, its interval that of stats::fold_interval; speeds are those
/// of the folds' own rows. There is no verdict where a fold has fewer trainings than one needs, or
/// all folds together fewer positive or negative patients, as `metrics` counts them. `folds`: how
/// many --folds made.
std::vector<Comparison> compare_over_folds(const std::vector<Comparison>& rows,
                                           const std::vector<MetricRecord>& metrics, int folds,
                                           const ComparisonOptions& options);

}  // namespace mpbench::bench
