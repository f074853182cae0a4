#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/stats/statistics.hpp"
#include "run_groups.hpp"

namespace mpbench::bench {

/// Why these runs cannot carry a verdict on accuracy, in a phrase; empty where they can: with three
/// distinct trainings of each arm and ten patients of each class (docs/method.md). `repeats`
/// has one element a pair, or none where predictions are missing.
std::string lacking_evidence(const std::vector<Pair>& pairs,
                             std::span<const stats::PairedPredictions> repeats);

}  // namespace mpbench::bench
