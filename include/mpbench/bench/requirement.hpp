#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/run_record.hpp"

/// What a comparison has to come to (`--require`), so that a script or CI can rest on it:
///
///     bf16: speedup >= 1.2, non-inferior
///     fp16: status ok
///     threads=2: speedup_ci_low > 1
///     no slower than 3 %
///
/// An arm's name and a colon, or nothing for every arm but the null arm; then conditions, all of
/// which have to hold:
/// - a column of comparison.csv with a number, `>=`, `>`, `<=` or `<`, and a number or a percentage
/// - a verdict: `faster`, `slower`, `speed equivalent`, `unresolved`, `non-inferior` (which
///   `equivalent` is too), `accuracy equivalent`, `inferior`, `inconclusive`; or `not` and one of
///   them, which takes another verdict to be there
/// - `no slower than 3 %`, or `3%`: the whole interval of the speed-up is above 1 / 1.03
/// - `status ok`: every run of the arm came through
namespace mpbench::bench {

/// Whether a condition holds, and what was found in its place.
struct ConditionResult {
  bool holds = false;
  std::string found;  ///< "speedup is 1.034 [1.010, 1.058]"
};

struct Condition {
  std::string text;          ///< as it was given
  bool of_accuracy = false;  ///< and not of speed, memory or whether runs came through
  /// `runs`: all of the arm's in its configuration.
  std::function<ConditionResult(const Comparison& row, std::span<const RunRecord* const> runs)>
      check;
};

struct Requirement {
  std::string arm;  ///< empty: every arm
  std::vector<Condition> conditions;
};

/// One condition of a requirement, in one configuration.
struct RequirementResult {
  std::string configuration;
  std::string arm;
  std::string compared_with;  ///< the baseline, or on a ladder the rung below
  std::string condition;
  ConditionResult result;
};

/// Throws UsageError for what is no requirement, naming the part that is not understood.
Requirement parse_requirement(const std::string& text);

/// The conditions of a requirement in every configuration; with folds, accuracy over all folds
/// alone, as few patients of one fold have cancer. An arm that no row has, as it was never
/// measured, is one that nothing holds for.
std::vector<RequirementResult> check_requirement(const Requirement& requirement,
                                                 std::span<const Comparison> rows,
                                                 std::span<const RunRecord> runs);

/// Those of several requirements, in their order. Throws as parse_requirement() does.
std::vector<RequirementResult> check_requirements(std::span<const std::string> requirements,
                                                  std::span<const Comparison> rows,
                                                  std::span<const RunRecord> runs);

/// What there is to tell of a comparison without requirements: for every arm but the null arm, and
/// for what it is compared with, whether its runs came through, and its verdicts. The condition is
/// `status ok`.
std::vector<RequirementResult> arm_outcomes(std::span<const Comparison> rows,
                                            std::span<const RunRecord> runs);

/// In one line: "bf16: speedup >= 1.2: speedup is 1.25 [1.19, 1.31] (cnn-b32, beside fp32)".
std::string requirement_line(const RequirementResult& result);

}  // namespace mpbench::bench
