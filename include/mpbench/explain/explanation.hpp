#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/precision.hpp"
#include "mpbench/profile/operator_record.hpp"

namespace mpbench::explain {

/// One row of explain.csv: what a step of one arm spends on one kind of operator.
struct KindRow {
  std::string arm{};
  std::string precision{};
  profile::OperatorKind kind = profile::OperatorKind::other;
  double ms = 0;     ///< a step; the kinds of an arm add up to `step_ms`
  double share = 0;  ///< of the step
  /// The baseline's milliseconds over these; empty for the baseline, and where either has none.
  std::optional<double> ratio{};
  /// What the rates that were measured here allow at best; empty where the kind multiplies and
  /// moves nothing that is known of.
  std::optional<double> floor_ms{};
  double step_ms = 0;           ///< a step without the profiler: what was compared
  double profiled_step_ms = 0;  ///< a step with it
};

template <class Record, class Visitor>
requires std::same_as<std::remove_const_t<Record>, KindRow>
void visit_columns(Record& r, Visitor&& visit) {
  visit("arm", r.arm);
  visit("precision", r.precision);
  visit("kind", r.kind);
  visit("ms", r.ms);
  visit("share", r.share);
  visit("ratio", r.ratio);
  visit("floor_ms", r.floor_ms);
  visit("step_ms", r.step_ms);
  visit("profiled_step_ms", r.profiled_step_ms);
}

/// One row of lost.csv: an operator of an arm that takes longer than its precision lets expect.
struct LostRow {
  std::string arm{};
  profile::OperatorKind kind = profile::OperatorKind::other;
  std::string name{};
  std::string shapes{};
  std::string dtype{};  ///< in which the arm computes it
  double baseline_ms = 0;
  double ms = 0;
  double expected_ms = 0;  ///< the baseline's, by the ratio of the floors of both precisions
  double lost_ms = 0;      ///< the arm's above those
};

template <class Record, class Visitor>
requires std::same_as<std::remove_const_t<Record>, LostRow>
void visit_columns(Record& r, Visitor&& visit) {
  visit("arm", r.arm);
  visit("kind", r.kind);
  visit("name", r.name);
  visit("shapes", r.shapes);
  visit("dtype", r.dtype);
  visit("baseline_ms", r.baseline_ms);
  visit("ms", r.ms);
  visit("expected_ms", r.expected_ms);
  visit("lost_ms", r.lost_ms);
}

/// Why an arm is no faster than it is.
enum class CauseKind {
  data_wait,
  launch_bound,
  slow_dtype,
  tf32_baseline,
  casts,
  memory_format,
  channels,
  small_batch,
  optimizer,
  memory_bound,
  oversubscribed,
  other_load,
  throttled,
};

}  // namespace mpbench::explain

template <>
inline constexpr auto mpbench::enum_names<mpbench::explain::CauseKind> =
    std::to_array<mpbench::EnumName<mpbench::explain::CauseKind>>(
        {{mpbench::explain::CauseKind::data_wait, "data-wait"},
         {mpbench::explain::CauseKind::launch_bound, "launch-bound"},
         {mpbench::explain::CauseKind::slow_dtype, "slow-dtype"},
         {mpbench::explain::CauseKind::tf32_baseline, "tf32-baseline"},
         {mpbench::explain::CauseKind::casts, "casts"},
         {mpbench::explain::CauseKind::memory_format, "memory-format"},
         {mpbench::explain::CauseKind::channels, "channels"},
         {mpbench::explain::CauseKind::small_batch, "small-batch"},
         {mpbench::explain::CauseKind::optimizer, "optimizer"},
         {mpbench::explain::CauseKind::memory_bound, "memory-bound"},
         {mpbench::explain::CauseKind::oversubscribed, "oversubscribed"},
         {mpbench::explain::CauseKind::other_load, "other-load"},
         {mpbench::explain::CauseKind::throttled, "throttled"}});

namespace mpbench::explain {

/// One row of causes.csv.
struct Cause {
  std::string arm{};
  CauseKind kind = CauseKind::data_wait;
  double figure = 0;       ///< what the rule looks at: a share, or a ratio
  double threshold = 0;    ///< above which, or for a ratio below which, it is a cause
  std::string evidence{};  ///< a sentence with the figures
  std::string remedy{};    ///< what to change
};

template <class Record, class Visitor>
requires std::same_as<std::remove_const_t<Record>, Cause>
void visit_columns(Record& r, Visitor&& visit) {
  visit("arm", r.arm);
  visit("kind", r.kind);
  visit("figure", r.figure);
  visit("threshold", r.threshold);
  visit("evidence", r.evidence);
  visit("remedy", r.remedy);
}

/// What a precision can gain at most, by Amdahl's law: the part of the baseline's step that
/// multiplies matrices gains what the rates gain, what moves tensors gains the bytes that it saves,
/// and the rest nothing.
struct Ceiling {
  std::string arm;
  double matrix_share = 0;  ///< of the baseline's step
  double matrix_gain = 1;   ///< the rate of the arm's precision over the baseline's
  double memory_share = 0;  ///< of the baseline's step
  double memory_gain = 1;   ///< bytes of an element of the baseline over those of the arm
  double speedup = 1;       ///< of the whole step, at most
};

/// What an arm's process showed.
struct ExplainedArm {
  std::string name;
  Precision precision = Precision::fp32;
  double step_ms = 0;           ///< without the profiler
  double profiled_step_ms = 0;  ///< with it
  std::vector<KindRow> kinds;   ///< the slowest first
  double floor_ms = 0;          ///< of all operators together
  /// The operators of a mixed precision that compute in float32 nevertheless and take 1 % of the
  /// step or more, the slowest first;
  /// optimizer and loss, which belong in float32, are not among them.
  std::vector<profile::OperatorRecord> kept_in_float32;
};

struct Explanation {
  std::vector<ExplainedArm> arms;  ///< the baseline first
  std::vector<Ceiling> ceilings;   ///< of each arm of another precision
  std::vector<LostRow> lost;       ///< at most ten an arm, the largest loss first
  std::vector<Cause> causes;
};

}  // namespace mpbench::explain
