#include "speed_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mpbench/stats/statistics.hpp"

namespace mpbench::bench {
namespace {

/// An F test, a share and the like say little of a share of rounds below this.
constexpr double notable_share = 0.1;

/// What the test of each arm is at: Holm's procedure over all of them, or the primary arm first.
std::vector<double> levels_of(const std::vector<SpeedComparison>& arms, double level,
                              const std::string& primary) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const bool tested = arms[i].sessions.kind == ArmKind::arm && arms[i].interval;
    if (tested) places.push_back(i);
  }
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return arms[a].sessions.arm == primary && arms[b].sessions.arm != primary;
  });
  std::vector<double> p_values;
  for (const std::size_t place : places) p_values.push_back(arms[place].interval->p_value);
  std::vector<double> tested;
  if (primary.empty()) {
    tested = stats::holm_levels(p_values, level);
  } else if (!p_values.empty()) {
    // The primary arm at the whole level; where it is decided, the others share that level.
    const std::span<const double> others = std::span(p_values).subspan(1);
    tested = {level};
    for (const double each : stats::holm_levels(others, level)) {
      tested.push_back(p_values.front() <= level ? each : 0);
    }
  }
  std::vector<double> levels(arms.size(), level);
  for (std::size_t i = 0; i < places.size(); ++i) levels[places[i]] = tested[i];
  return levels;
}

const SpeedComparison* find_null(const std::vector<SpeedComparison>& arms) {
  const auto found = std::find_if(arms.begin(), arms.end(), [](const SpeedComparison& arm) {
    return arm.sessions.kind == ArmKind::null;
  });
  return found == arms.end() ? nullptr : &*found;
}

void judge(SpeedComparison& arm, double level, const SpeedComparison* null,
           const SpeedOptions& options) {
  const std::vector<double>& values = arm.sessions.values;
  if (values.size() < 2) {
    arm.notes.emplace_back("one session: no interval and no verdict on speed");
    return;
  }
  if (level == 0) {
    arm.verdict = stats::SpeedVerdict::unresolved;
    arm.notes.push_back(
        fmt::format("not tested, as no difference of {} was found", options.primary));
    return;
  }
  arm.interval = stats::session_interval(values, level);
  arm.detectable_effect =
      stats::detectable_effect(arm.interval->sd, static_cast<int>(values.size()), level);
  if (arm.sessions.compute_values.size() >= 2) {
    arm.compute = stats::session_interval(arm.sessions.compute_values, level);
  }
  if (null != nullptr && arm.sessions.kind != ArmKind::null && null->sessions.values.size() >= 2) {
    if (stats::null_arm_differs(null->sessions.values)) {
      arm.notes.emplace_back("no verdict on speed: two copies of the baseline differ");
      return;
    }
    if (values.size() >= 3 && stats::noisier_than_null(values, null->sessions.values)) {
      arm.notes.emplace_back(
          "the speed-up varies more from session to session than two copies of "
          "the baseline do");
    }
  }
  arm.verdict = stats::speed_verdict(*arm.interval, options.equivalence);
  if (arm.verdict != stats::SpeedVerdict::equivalent &&
      stats::within_equivalence(*arm.interval, options.equivalence)) {
    arm.notes.push_back(
        fmt::format("{} by less than {:g} %", enum_name(*arm.verdict), 100 * options.equivalence));
  }
}

}  // namespace

std::vector<SpeedComparison> compare_speed(std::vector<SessionValues> arms,
                                           const SpeedOptions& options) {
  const double level =
      stats::pocock_level(1 - options.confidence, static_cast<int>(options.looks.size()));
  std::vector<SpeedComparison> comparisons;
  for (SessionValues& values : arms) {
    SpeedComparison& arm = comparisons.emplace_back();
    arm.sessions = std::move(values);
    if (!arm.sessions.values.empty()) arm.mean = stats::mean(arm.sessions.values);
    arm.interval = stats::session_interval(arm.sessions.values, level);
  }
  const std::vector<double> levels = levels_of(comparisons, level, options.primary);
  const SpeedComparison* null = find_null(comparisons);
  std::optional<double> process_sd;
  if (null != nullptr && null->sessions.values.size() >= 2) {
    process_sd = stats::process_sd(null->sessions.values);
  }
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    SpeedComparison& arm = comparisons[i];
    arm.process_sd = process_sd;
    const auto skipped = static_cast<double>(arm.sessions.skipped_rounds);
    if (skipped > notable_share * (skipped + static_cast<double>(arm.sessions.rounds))) {
      arm.notes.push_back(
          fmt::format("{} rounds are left out: every step of a block was skipped", skipped));
    }
    if (arm.mean) judge(arm, levels[i], null, options);
  }
  return comparisons;
}

}  // namespace mpbench::bench
