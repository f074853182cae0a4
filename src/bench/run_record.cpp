#include "mpbench/bench/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

constexpr std::string_view status_names[] = {"ok", "oom", "diverged", "failed", "interrupted"};

}  // namespace

std::string_view to_string(RunStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}

RunStatus parse_run_status(std::string_view text) {
  for (std::size_t i = 0; i < std::size(status_names); ++i) {
    if (status_names[i] == text) return static_cast<RunStatus>(i);
  }
  throw Error(fmt::format("'{}' is no run status (ok, oom, diverged, failed, interrupted)", text));
}

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
