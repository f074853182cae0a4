#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mpbench/stats/statistics.hpp"

namespace mpbench::stats {

/// The samples on which all seeds are judged.
struct PairedSamples {
  std::vector<std::size_t> patient;  ///< of each sample, numbered from 0
  std::size_t patients = 0;
  std::size_t positive_patients = 0;  ///< with a sample of another class than 0
  std::size_t negative_patients = 0;
  int classes = 2;  ///< the largest label + 1, but at least 2
};

/// Throws Error for no seeds, no samples, vectors of different lengths, a negative label and seeds
/// that do not have the same samples in the same order.
PairedSamples paired_samples(std::span<const PairedPredictions> seeds);

}  // namespace mpbench::stats
