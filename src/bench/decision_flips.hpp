#pragma once

#include <vector>

#include "metric_difference.hpp"
#include "mpbench/bench/decision_record.hpp"
#include "run_groups.hpp"

namespace mpbench::bench {

/// Where the decisions of an arm's models differ from those they are compared with.
struct DecisionFlips {
  std::vector<DecisionRecord> repeats;
  std::vector<FlipRecord> flips;
};

/// Judges each pair's predictions, of breasts where there are and of images: all together, and by
/// site, view, machine, density and age where the data says so. With two classes at the baseline's
/// val_threshold, the threshold with its highest F1, so that both models are used at the same
/// operating point; with more by the class predicted. Pairs whose predictions are missing or of
/// other samples are left out.
DecisionFlips decision_flips(const RunGroup& group, const GroupArm& arm,
                             const std::vector<Pair>& pairs, PredictionStore& predictions);

}  // namespace mpbench::bench
