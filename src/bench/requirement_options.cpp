#include "mpbench/bench/requirement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"

namespace mpbench::bench {
namespace {

using Runs = std::span<const RunRecord* const>;

[[noreturn]] void fail(std::string_view text, const std::string& problem) {
  throw UsageError(fmt::format("--require: '{}': {}", text, problem));
}

/// The columns of comparison.csv that hold a number which may be missing.
std::vector<std::string> figures() {
  std::vector<std::string> names;
  const Comparison any;
  visit_columns(any, [&]<class Value>(const char* name, const Value&) {
    if constexpr (std::is_same_v<Value, std::optional<double>>) names.emplace_back(name);
  });
  return names;
}

std::optional<double> figure_of(const Comparison& row, std::string_view column) {
  std::optional<double> figure;
  visit_columns(row, [&]<class Value>(const char* name, const Value& value) {
    if constexpr (std::is_same_v<Value, std::optional<double>>) {
      if (column == name) figure = value;
    }
  });
  return figure;
}

/// "speedup is 1.034 [1.010, 1.058]"
std::string describe(const Comparison& row, const std::string& column) {
  const auto figure = figure_of(row, column);
  if (!figure) return fmt::format("{} was not measured", column);
  std::string text = fmt::format("{} is {:.4g}", column, *figure);
  const auto low = figure_of(row, column + "_ci_low");
  const auto high = figure_of(row, column + "_ci_high");
  if (low && high) text += fmt::format(" [{:.4g}, {:.4g}]", *low, *high);
  return text;
}

/// A number, or a percentage as a share.
std::optional<double> parse_number(std::string_view text) {
  const bool is_percentage = text.ends_with('%');
  if (is_percentage) text = trimmed(text.substr(0, text.size() - 1));
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || !std::isfinite(number)) return std::nullopt;
  return is_percentage ? number / 100 : number;
}

using Compare = bool (*)(double, double);

struct Comparator {
  std::string_view sign;
  Compare holds;
};

/// Those of two characters first, so that ">=" is not taken for ">".
constexpr std::array<Comparator, 4> comparators{{{">=", [](double a, double b) { return a >= b; }},
                                                 {"<=", [](double a, double b) { return a <= b; }},
                                                 {">", [](double a, double b) { return a > b; }},
                                                 {"<", [](double a, double b) { return a < b; }}}};

std::optional<Condition> parse_figure(std::string_view text) {
  for (const Comparator& comparator : comparators) {
    const auto place = text.find(comparator.sign);
    if (place == std::string_view::npos) continue;
    const std::string column(trimmed(text.substr(0, place)));
    const std::vector<std::string> known = figures();
    if (std::find(known.begin(), known.end(), column) == known.end()) {
      fail(text, fmt::format("there is no figure '{}': choose one of {}", column,
                             fmt::join(known, ", ")));
    }
    const auto limit = parse_number(trimmed(text.substr(place + comparator.sign.size())));
    if (!limit)
      fail(text, "a number or a percentage is expected after " + std::string(comparator.sign));
    return Condition{.text = std::string(text),
                     .of_accuracy = column.starts_with("metric_delta"),
                     .check = [column, holds = comparator.holds, limit = *limit](
                                  const Comparison& row, Runs) -> ConditionResult {
                       const auto figure = figure_of(row, column);
                       return {.holds = figure && holds(*figure, limit),
                               .found = describe(row, column)};
                     }};
  }
  return std::nullopt;
}

std::optional<Condition> parse_no_slower(std::string_view text) {
  constexpr std::string_view words = "no slower than";
  if (!text.starts_with(words)) return std::nullopt;
  const auto share = parse_number(trimmed(text.substr(words.size())));
  if (!share || *share < 0 || !text.ends_with('%')) {
    fail(text, "a percentage is expected: no slower than 3 %");
  }
  return Condition{
      .text = std::string(text),
      .check = [limit = 1 / (1 + *share)](const Comparison& row, Runs) -> ConditionResult {
        return {.holds = row.speedup_ci_low && *row.speedup_ci_low >= limit,
                .found = describe(row, "speedup")};
      }};
}

constexpr std::string_view status_condition = "status ok";

ConditionResult status_of(Runs runs) {
  if (runs.empty()) return {.holds = false, .found = "there are no runs"};
  for (const RunRecord* run : runs) {
    if (run->status == RunStatus::ok) continue;
    return {.holds = false,
            .found = fmt::format("{} is {}: {}", run->run_id, enum_name(run->status), run->error)};
  }
  return {.holds = true, .found = fmt::format("{} runs are ok", runs.size())};
}

std::optional<Condition> parse_status(std::string_view text) {
  if (text != status_condition) return std::nullopt;
  return Condition{.text = std::string(text),
                   .check = [](const Comparison&, Runs runs) { return status_of(runs); }};
}

/// A condition on a verdict of the row; without a verdict neither it nor its contrary holds.
template <class Verdict>
Condition verdict_condition(std::string_view text, std::vector<Verdict> accepted, bool negated,
                            std::optional<Verdict> Comparison::*verdict, const char* of_what,
                            const char* column) {
  return {.text = std::string(text),
          .of_accuracy = std::is_same_v<Verdict, stats::AccuracyVerdict>,
          .check = [accepted = std::move(accepted), negated, verdict, of_what, column](
                       const Comparison& row, Runs) -> ConditionResult {
            const std::optional<Verdict>& found = row.*verdict;
            if (!found) {
              return {.holds = false,
                      .found = fmt::format("there is no verdict on {}{}{}", of_what,
                                           row.note.empty() ? "" : ": ", row.note)};
            }
            const bool is_one =
                std::find(accepted.begin(), accepted.end(), *found) != accepted.end();
            return {.holds = is_one != negated,
                    .found = fmt::format("{} is {}, {}", of_what, enum_name(*found),
                                         describe(row, column))};
          }};
}

std::optional<Condition> parse_verdict(std::string_view text) {
  std::string_view word = text;
  const auto take = [&](std::string_view prefix) {
    if (!word.starts_with(prefix)) return false;
    word = trimmed(word.substr(prefix.size()));
    return true;
  };
  const bool negated = take("not ");
  const bool of_speed = take("speed ");
  const bool of_accuracy = !of_speed && take("accuracy ");
  const auto speed = find_enum<stats::SpeedVerdict>(word);
  const auto accuracy = find_enum<stats::AccuracyVerdict>(word);
  if (speed && accuracy && !of_speed && !of_accuracy) {
    fail(text, fmt::format("say 'speed {0}' or 'accuracy {0}'", word));
  }
  if (speed && !of_accuracy) {
    return verdict_condition<stats::SpeedVerdict>(text, {*speed}, negated,
                                                  &Comparison::speed_verdict, "speed", "speedup");
  }
  if (!accuracy || of_speed) return std::nullopt;
  std::vector<stats::AccuracyVerdict> accepted{*accuracy};
  // What is shown not to differ is no worse.
  if (*accuracy == stats::AccuracyVerdict::non_inferior) {
    accepted.push_back(stats::AccuracyVerdict::equivalent);
  }
  return verdict_condition(text, std::move(accepted), negated, &Comparison::accuracy_verdict,
                           "accuracy", "metric_delta");
}

Condition parse_condition(std::string_view text) {
  using Parse = std::optional<Condition> (*)(std::string_view);
  for (const Parse parse : {parse_no_slower, parse_status, parse_verdict, parse_figure}) {
    if (auto condition = parse(text)) return *std::move(condition);
  }
  fail(text,
       "it is no condition: give a figure and a limit (speedup >= 1.2), a verdict (faster, not "
       "slower, non-inferior), 'no slower than 3 %' or 'status ok'");
}

/// An arm's runs in one configuration.
std::vector<const RunRecord*> runs_of(std::span<const RunRecord> runs,
                                      const std::string& configuration, const std::string& arm) {
  std::vector<const RunRecord*> own;
  for (const RunRecord& run : runs) {
    if (run.configuration == configuration && run.arm == arm) own.push_back(&run);
  }
  return own;
}

/// "; speed is faster, speedup is 1.25 [1.19, 1.31]" and the like of accuracy; empty where there is
/// neither a verdict nor a figure.
std::string verdicts_of(const Comparison& row) {
  std::string text;
  if (row.speed_verdict) text += fmt::format("; speed is {}", enum_name(*row.speed_verdict));
  if (row.speedup) text += (row.speed_verdict ? ", " : "; ") + describe(row, "speedup");
  if (row.accuracy_verdict) {
    text += fmt::format("; accuracy is {}", enum_name(*row.accuracy_verdict));
  }
  if (row.metric_delta) {
    text += (row.accuracy_verdict ? ", " : "; ") + describe(row, "metric_delta");
  }
  return text;
}

}  // namespace

Requirement parse_requirement(const std::string& text) {
  std::string_view rest = text;
  Requirement requirement;
  // The last one, as an arm may be device=cuda:0.
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    requirement.arm = trimmed(rest.substr(0, colon));
    if (requirement.arm.empty()) fail(text, "an arm's name is expected before the colon");
    rest = rest.substr(colon + 1);
  }
  while (true) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string_view condition = trimmed(rest.substr(0, comma));
    if (condition.empty()) fail(text, "a condition is expected, and there is none");
    requirement.conditions.push_back(parse_condition(condition));
    if (comma == rest.size()) return requirement;
    rest = rest.substr(comma + 1);
  }
}

std::vector<RequirementResult> check_requirement(const Requirement& requirement,
                                                 std::span<const Comparison> rows,
                                                 std::span<const RunRecord> runs) {
  const bool has_folds = std::any_of(rows.begin(), rows.end(), is_over_folds);
  std::vector<RequirementResult> results;
  for (const Comparison& row : rows) {
    const bool is_meant =
        requirement.arm.empty() ? row.arm_kind != ArmKind::null : row.arm == requirement.arm;
    if (!is_meant) continue;
    const std::vector<const RunRecord*> own = runs_of(runs, row.configuration, row.arm);
    for (const Condition& condition : requirement.conditions) {
      if (has_folds && condition.of_accuracy != is_over_folds(row)) continue;
      results.push_back({.configuration = row.configuration,
                         .arm = row.arm,
                         .compared_with = row.compared_with,
                         .condition = condition.text,
                         .result = condition.check(row, own)});
    }
  }
  if (!results.empty()) return results;
  for (const Condition& condition : requirement.conditions) {
    results.push_back({.configuration = "",
                       .arm = requirement.arm,
                       .compared_with = "",
                       .condition = condition.text,
                       .result = {.holds = false, .found = "it was not measured"}});
  }
  return results;
}

std::vector<RequirementResult> check_requirements(std::span<const std::string> requirements,
                                                  std::span<const Comparison> rows,
                                                  std::span<const RunRecord> runs) {
  std::vector<RequirementResult> results;
  for (const std::string& text : requirements) {
    for (RequirementResult& each : check_requirement(parse_requirement(text), rows, runs)) {
      results.push_back(std::move(each));
    }
  }
  return results;
}

std::vector<RequirementResult> arm_outcomes(std::span<const Comparison> rows,
                                            std::span<const RunRecord> runs) {
  std::vector<RequirementResult> results;
  const auto add = [&](const Comparison& row, const std::string& arm) -> RequirementResult* {
    const auto own = runs_of(runs, row.configuration, arm);
    const bool is_known = std::any_of(results.begin(), results.end(), [&](const auto& known) {
      return known.configuration == row.configuration && known.arm == arm;
    });
    if (is_known || (own.empty() && !is_over_folds(row))) return nullptr;
    return &results.emplace_back(RequirementResult{
        .configuration = row.configuration,
        .arm = arm,
        .compared_with = "",
        .condition = std::string(status_condition),
        .result = is_over_folds(row) ? ConditionResult{.holds = true, .found = "over all folds"}
                                     : status_of(own)});
  };
  for (const Comparison& row : rows) {
    if (row.arm_kind == ArmKind::null) continue;
    if (!is_over_folds(row)) add(row, row.compared_with);
    RequirementResult* const outcome = add(row, row.arm);
    if (outcome == nullptr) continue;
    outcome->compared_with = row.compared_with;
    outcome->result.found += verdicts_of(row);
  }
  return results;
}

std::string requirement_line(const RequirementResult& result) {
  const std::string where = result.configuration.empty() ? "no configuration"
                            : result.compared_with.empty()
                                ? result.configuration
                                : result.configuration + ", beside " + result.compared_with;
  return fmt::format("{}: {}: {} ({})", result.arm.empty() ? "every arm" : result.arm,
                     result.condition, result.result.found, where);
}

}  // namespace mpbench::bench
