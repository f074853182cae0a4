#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/statistics.hpp"
#include "run_groups.hpp"

namespace mpbench::bench {

/// Fewer trainings of an arm, or fewer patients of a class, carry no verdict on accuracy
/// (docs/method.md).
inline constexpr std::size_t fewest_trainings = 3;
inline constexpr std::size_t fewest_patients = 10;

/// Trainings among the runs: of other seeds, and with other results. Runs that end with the same
/// losses and metrics to the last bit are one training that was repeated.
std::size_t distinct_trainings(std::span<const RunRecord* const> runs);

/// Why these runs cannot carry a verdict on accuracy, in a phrase; empty where they can. `repeats`
/// has one element a pair, or none where predictions are missing.
std::string lacking_evidence(const std::vector<Pair>& pairs,
                             std::span<const PairedPredictions> repeats);

}  // namespace mpbench::bench
