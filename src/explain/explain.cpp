#include "mpbench/explain/explain.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "causes.hpp"
#include "dtypes.hpp"
#include "floors.hpp"

namespace mpbench::explain {
namespace {

using profile::OperatorKind;
using profile::OperatorRecord;

constexpr std::size_t most_lost = 10;
constexpr std::size_t most_kept = 5;
/// Of the step: less is not worth a word.
constexpr double smallest_kept = 0.01;

/// The operators with their times as they are without the profiler.
std::vector<OperatorRecord> scaled_operators(const MeasuredArm& arm) {
  std::vector<OperatorRecord> operators = arm.profile.operators;
  for (OperatorRecord& row : operators) {
    if (row.profiled_step_ms > 0) row.ms *= arm.step_ms / row.profiled_step_ms;
  }
  return operators;
}

double profiled_ms(const MeasuredArm& arm) {
  return arm.profile.operators.empty() ? 0 : arm.profile.operators.front().profiled_step_ms;
}

/// Whether autocast's policy for it is float32, or it is not under autocast at all.
bool belongs_in_float32(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::loss:
    case OperatorKind::optimizer:
    case OperatorKind::gradient_scaler:
    case OperatorKind::data_wait:
    case OperatorKind::cast_copy:
    case OperatorKind::host:
      return true;
    default:
      return false;
  }
}

ExplainedArm explain_arm(const MeasuredArm& arm, const std::vector<OperatorRecord>& operators,
                         const profile::MachineRates& rates) {
  const Precision precision = parse_precision(arm.run.precision);
  ExplainedArm explained{.name = arm.name,
                         .precision = precision,
                         .step_ms = arm.step_ms,
                         .profiled_step_ms = profiled_ms(arm)};
  std::map<OperatorKind, KindRow> kinds;
  for (const OperatorRecord& row : operators) {
    KindRow& kind = kinds[row.kind];
    kind.ms += row.ms;
    if (const auto floor = floor_ms(row, computed_in(row, precision), rates)) {
      // What lies in a cache moves faster than memory does.
      const double reachable = std::min(*floor, row.ms);
      kind.floor_ms = kind.floor_ms.value_or(0) + reachable;
      explained.floor_ms += reachable;
    }
    if (is_mixed(precision) && row.dtype == float32 && !belongs_in_float32(row.kind) &&
        row.ms >= smallest_kept * arm.step_ms && explained.kept_in_float32.size() < most_kept) {
      explained.kept_in_float32.push_back(row);
    }
  }
  for (auto& [kind, row] : kinds) {
    row.arm = arm.name;
    row.precision = arm.run.precision;
    row.kind = kind;
    row.share = arm.step_ms > 0 ? row.ms / arm.step_ms : 0;
    row.step_ms = arm.step_ms;
    row.profiled_step_ms = explained.profiled_step_ms;
    explained.kinds.push_back(row);
  }
  std::stable_sort(explained.kinds.begin(), explained.kinds.end(),
                   [](const KindRow& a, const KindRow& b) { return a.ms > b.ms; });
  return explained;
}

double ms_of(const ExplainedArm& arm, OperatorKind kind) {
  for (const KindRow& row : arm.kinds) {
    if (row.kind == kind) return row.ms;
  }
  return 0;
}

void fill_ratios(ExplainedArm& arm, const ExplainedArm& baseline) {
  for (KindRow& row : arm.kinds) {
    const double before = ms_of(baseline, row.kind);
    if (before > 0 && row.ms > 0) row.ratio = before / row.ms;
  }
}

/// Whether a kind's time is in reading and writing tensors that are half as large in 16 bits.
bool moves_tensors(OperatorKind kind) {
  return kind == OperatorKind::depthwise || kind == OperatorKind::norm_activation ||
         kind == OperatorKind::pooling || kind == OperatorKind::other;
}

Ceiling ceiling_of(const ExplainedArm& arm, const ExplainedArm& baseline,
                   const profile::MachineRates& rates) {
  Ceiling ceiling{.arm = arm.name};
  for (const KindRow& row : baseline.kinds) {
    if (profile::is_matrix_work(row.kind)) ceiling.matrix_share += row.share;
    if (moves_tensors(row.kind)) ceiling.memory_share += row.share;
  }
  const auto before = rates.gflop_per_s(baseline.precision);
  const auto after = rates.gflop_per_s(arm.precision);
  if (before && after) ceiling.matrix_gain = std::max(1.0, *after / *before);
  ceiling.memory_gain = static_cast<double>(bytes_of(baseline.precision)) / bytes_of(arm.precision);
  ceiling.memory_gain = std::max(1.0, ceiling.memory_gain);
  const double rest = std::max(0.0, 1 - ceiling.matrix_share - ceiling.memory_share);
  ceiling.speedup = 1 / (rest + ceiling.matrix_share / ceiling.matrix_gain +
                         ceiling.memory_share / ceiling.memory_gain);
  return ceiling;
}

/// Of all dtypes together.
using OperatorKey = std::tuple<OperatorKind, std::string, std::string>;

std::map<OperatorKey, OperatorRecord> by_operator(const std::vector<OperatorRecord>& operators) {
  std::map<OperatorKey, OperatorRecord> all;
  for (const OperatorRecord& row : operators) {
    const auto [place, is_new] = all.try_emplace({row.kind, row.name, row.shapes}, row);
    if (!is_new) place->second.ms += row.ms;
  }
  return all;
}

/// The baseline's time, made shorter as the operator's floor is in the arm's precision.
double expected_ms(const OperatorRecord& before, Precision baseline, Precision arm,
                   const profile::MachineRates& rates) {
  if (belongs_in_float32(before.kind)) return before.ms;
  OperatorRecord smaller = before;
  if (smaller.mbytes) *smaller.mbytes *= static_cast<double>(bytes_of(arm)) / bytes_of(baseline);
  const auto floor_before = floor_ms(before, baseline, rates);
  const auto floor_after = floor_ms(smaller, arm, rates);
  if (!floor_before || !floor_after || *floor_before <= 0) return before.ms;
  return before.ms * std::min(1.0, *floor_after / *floor_before);
}

std::vector<LostRow> lost_of(const ExplainedArm& arm, const std::vector<OperatorRecord>& operators,
                             const ExplainedArm& baseline,
                             const std::vector<OperatorRecord>& baseline_operators,
                             const profile::MachineRates& rates) {
  const auto before = by_operator(baseline_operators);
  std::vector<LostRow> lost;
  for (const auto& [key, row] : by_operator(operators)) {
    LostRow entry{.arm = arm.name,
                  .kind = row.kind,
                  .name = row.name,
                  .shapes = row.shapes,
                  .dtype = row.dtype,
                  .ms = row.ms};
    if (const auto same = before.find(key); same != before.end()) {
      entry.baseline_ms = same->second.ms;
      entry.expected_ms = expected_ms(same->second, baseline.precision, arm.precision, rates);
    }
    entry.lost_ms = entry.ms - entry.expected_ms;
    if (entry.lost_ms > 0) lost.push_back(entry);
  }
  std::stable_sort(lost.begin(), lost.end(),
                   [](const LostRow& a, const LostRow& b) { return a.lost_ms > b.lost_ms; });
  if (lost.size() > most_lost) lost.resize(most_lost);
  return lost;
}

}  // namespace

Explanation explain(const std::vector<MeasuredArm>& arms, const MeasuredMachine& machine) {
  Explanation explanation;
  if (arms.empty()) return explanation;
  std::vector<std::vector<OperatorRecord>> operators;
  for (const MeasuredArm& arm : arms) {
    operators.push_back(scaled_operators(arm));
    explanation.arms.push_back(explain_arm(arm, operators.back(), machine.rates));
  }
  const ExplainedArm& baseline = explanation.arms.front();
  for (std::size_t i = 1; i < arms.size(); ++i) {
    ExplainedArm& arm = explanation.arms[i];
    fill_ratios(arm, baseline);
    if (arm.precision == baseline.precision) continue;
    explanation.ceilings.push_back(ceiling_of(arm, baseline, machine.rates));
    const std::vector<LostRow> lost =
        lost_of(arm, operators[i], baseline, operators.front(), machine.rates);
    explanation.lost.insert(explanation.lost.end(), lost.begin(), lost.end());
  }
  explanation.causes = find_causes(arms, explanation.arms, machine);
  return explanation;
}

}  // namespace mpbench::explain
