#include "mpbench/bench/run_record.hpp"

#include <algorithm>
#include <cmath>

namespace mpbench::bench {
std::int64_t best_epoch(std::span<const EpochRecord> epochs) {
  // One metric for all: an AUC of one epoch says nothing beside an accuracy of another.
  const bool by_auc = std::any_of(epochs.begin(), epochs.end(),
                                  [](const EpochRecord& each) { return each.val_auc.has_value(); });
  std::int64_t best = 0;
  double highest = 0;
  for (const EpochRecord& each : epochs) {
    const std::optional<double>& value = by_auc ? each.val_auc : each.val_accuracy;
    if (!value || !std::isfinite(*value) || !std::isfinite(each.val_loss.value_or(NAN))) continue;
    if (best > 0 && !(*value > highest)) continue;
    best = each.epoch;
    highest = *value;
  }
  return best;
}

}  // namespace mpbench::bench
