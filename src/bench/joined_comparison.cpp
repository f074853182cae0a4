#include "mpbench/bench/joined_comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "mpbench/io/csv_cell.hpp"
#include "mpbench/stats/mean_difference.hpp"
#include "mpbench/stats/session_statistics.hpp"
#include "mpbench/stats/speed_verdict.hpp"
#include "mpbench/stats/statistics.hpp"
#include "run_groups.hpp"
#include "speed_comparison.hpp"

namespace mpbench::bench {
namespace {

/// An option that says nothing of how a folder came about.
constexpr std::string_view requirements_option = "require";

/// The different values of a column, in the order in which they appear, joined by ", ".
template <class Value>
std::string distinct_values(const std::vector<RunRecord>& runs, Value RunRecord::*column) {
  std::vector<std::string> seen;
  for (const RunRecord& run : runs) {
    std::string text = csv::format_cell(run.*column);
    if (text.empty() || std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
    seen.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(seen, ", "));
}

/// "cnn-b32-i124: fp32, bf16, null", a configuration after the other.
std::string arms_text(const std::vector<BlockRecord>& blocks) {
  std::map<std::string, std::vector<std::string>> arms;
  for (const BlockRecord& block : blocks) {
    std::vector<std::string>& known = arms[block.configuration];
    if (std::find(known.begin(), known.end(), block.arm) == known.end()) {
      known.push_back(block.arm);
    }
  }
  std::string text;
  for (const auto& [configuration, names] : arms) {
    text +=
        fmt::format("{}{}: {}", text.empty() ? "" : "; ", configuration, fmt::join(names, ", "));
  }
  return text;
}

/// One arm of one configuration in two folders.
struct ArmChange {
  ArmSpeeds before;
  ArmSpeeds after;
  std::optional<stats::MeanDifference> change;  ///< empty with fewer than two sessions of either

  bool is_tested() const { return after.kind != ArmKind::null && change.has_value(); }
};

/// The arms that both have, each tested at the level that Holm's procedure gives it.
std::vector<ArmChange> arm_changes(std::span<const BlockRecord> earlier,
                                   std::span<const BlockRecord> later, double level) {
  const std::vector<ArmSpeeds> known = session_speeds(earlier);
  std::vector<ArmChange> changes;
  for (const ArmSpeeds& after : session_speeds(later)) {
    const auto before = std::find_if(known.begin(), known.end(), [&](const ArmSpeeds& speeds) {
      return speeds.arm == after.arm;
    });
    if (before == known.end()) continue;
    changes.push_back({.before = *before,
                       .after = after,
                       .change = stats::mean_difference(before->values, after.values, level)});
  }
  std::vector<double> p_values;
  for (const ArmChange& each : changes) {
    if (each.is_tested()) p_values.push_back(each.change->p_value);
  }
  const std::vector<double> levels = stats::holm_levels(p_values, level);
  std::size_t place = 0;
  for (ArmChange& each : changes) {
    if (!each.is_tested()) continue;
    each.change = stats::mean_difference(each.before.values, each.after.values, levels[place++]);
  }
  return changes;
}

/// What the arm is, by the first of its runs.
void describe_arm(const std::vector<RunRecord>& runs, Comparison& row) {
  const auto run = std::find_if(runs.begin(), runs.end(), [&](const RunRecord& each) {
    return each.configuration == row.configuration && each.arm == row.arm;
  });
  if (run == runs.end()) return;
  row.model = run->model;
  row.dataset = run->dataset;
  row.batch_size = run->batch_size;
  row.image_size = run->image_size;
  row.channels_last = run->channels_last;
  row.baseline_precision = run->precision;
  row.arm_precision = run->precision;
  row.device_name = run->device_name;
}

std::optional<double> geometric_mean(const std::vector<double>& logs) {
  if (logs.empty()) return std::nullopt;
  return std::exp(stats::mean(logs));
}

/// Fills the ratio, its interval and the verdict.
void judge_change(const ArmChange& change, double equivalence, Comparison& row, Notes& notes) {
  const auto& [before, after, difference] = change;
  if (!before.values.empty() && !after.values.empty()) {
    row.speedup = std::exp(stats::mean(after.values) - stats::mean(before.values));
  }
  if (!difference) {
    notes.add("fewer than two sessions in one of the folders: no interval and no verdict on speed");
    return;
  }
  row.speedup_ci_low = std::exp(difference->low);
  row.speedup_ci_high = std::exp(difference->high);
  row.speed_verdict = stats::speed_verdict(*difference, equivalence);
  if (row.speed_verdict != stats::SpeedVerdict::equivalent &&
      stats::within_equivalence(*difference, equivalence)) {
    notes.add(
        fmt::format("{} by less than {:g} %", enum_name(*row.speed_verdict), 100 * equivalence));
  }
}

JoinedRow row_of_change(const ArmChange& change, const std::string& configuration,
                        const ComparisonFolder& earlier, const ComparisonFolder& later) {
  const FolderFacts now = facts_of(later);
  const FolderFacts then = facts_of(earlier);
  JoinedRow joined;
  FolderColumns& where = joined.where;
  where.folder = later.name;
  where.compared_folder = earlier.name;
  where.git_commit = now.git_commit;
  where.torch_version = now.torch_version;
  where.threads = now.threads;
  where.compared_sessions = static_cast<std::int64_t>(change.before.values.size());
  where.images_per_s = geometric_mean(change.after.values);
  where.compared_images_per_s = geometric_mean(change.before.values);
  Comparison& row = joined.row;
  row.configuration = configuration;
  row.arm = change.after.arm;
  row.arm_kind = change.after.kind;
  row.compared_with = change.before.arm;
  row.sessions = static_cast<std::int64_t>(change.after.values.size());
  row.rounds = change.after.rounds;
  row.confidence = later.options.speed.confidence;
  describe_arm(later.measured.runs, row);
  Notes notes;
  judge_change(change, later.options.speed.equivalence, row, notes);
  if (then.device_name != now.device_name) {
    notes.add(fmt::format("the machines differ: {} and {}",
                          then.device_name.empty() ? "unknown" : then.device_name,
                          now.device_name.empty() ? "unknown" : now.device_name));
  }
  row.note = notes.text();
  return joined;
}

/// Adds an entry where the values are not all the same.
void add_if_different(std::string what, std::vector<std::string> values,
                      std::vector<FolderDifference>& found) {
  const auto differs = [&](const std::string& value) { return value != values.front(); };
  if (std::none_of(values.begin(), values.end(), differs)) return;
  found.push_back({.what = std::move(what), .values = std::move(values)});
}

}  // namespace

FolderFacts facts_of(const ComparisonFolder& folder) {
  const std::vector<RunRecord>& runs = folder.measured.runs;
  return {.device_name = distinct_values(runs, &RunRecord::device_name),
          .threads = distinct_values(runs, &RunRecord::threads),
          .git_commit = distinct_values(runs, &RunRecord::git_commit),
          .torch_version = distinct_values(runs, &RunRecord::torch_version),
          .cuda_version = distinct_values(runs, &RunRecord::cuda_version),
          .cudnn_version = distinct_values(runs, &RunRecord::cudnn_version),
          .build_type = distinct_values(runs, &RunRecord::build_type)};
}

std::vector<FolderDifference> folder_differences(std::span<const ComparisonFolder> folders) {
  std::vector<FolderDifference> found;
  if (folders.size() < 2) return found;
  std::vector<std::pair<std::string, std::vector<std::string>>> facts;
  for (const ComparisonFolder& folder : folders) {
    const FolderFacts known = facts_of(folder);
    std::size_t column = 0;
    visit_columns(known, [&](const char* name, const std::string& value) {
      if (facts.size() == column) facts.emplace_back(name, std::vector<std::string>{});
      facts[column++].second.push_back(value);
    });
  }
  for (auto& [name, values] : facts) add_if_different(name, std::move(values), found);
  std::vector<std::string> arms;
  std::set<std::string> options;
  for (const ComparisonFolder& folder : folders) {
    arms.push_back(arms_text(folder.measured.blocks));
    for (const auto& [name, value] : folder.settings) options.insert(name);
  }
  add_if_different("arms", std::move(arms), found);
  options.erase(std::string(requirements_option));
  for (const std::string& name : options) {
    std::vector<std::string> values;
    for (const ComparisonFolder& folder : folders) {
      const auto setting = folder.settings.find(name);
      values.push_back(setting == folder.settings.end() ? "" : setting->second);
    }
    add_if_different("--" + name, std::move(values), found);
  }
  return found;
}

std::vector<JoinedRow> speed_changes(const ComparisonFolder& earlier,
                                     const ComparisonFolder& later) {
  std::vector<std::string> configurations;
  for (const BlockRecord& block : later.measured.blocks) {
    if (std::find(configurations.begin(), configurations.end(), block.configuration) ==
        configurations.end()) {
      configurations.push_back(block.configuration);
    }
  }
  const double level = 1 - later.options.speed.confidence;
  std::vector<JoinedRow> rows;
  for (const std::string& configuration : configurations) {
    for (const ArmChange& change :
         arm_changes(those_of(earlier.measured.blocks, configuration),
                     those_of(later.measured.blocks, configuration), level)) {
      rows.push_back(row_of_change(change, configuration, earlier, later));
    }
  }
  return rows;
}

std::vector<JoinedRow> joined_rows(std::span<const ComparisonFolder> folders) {
  std::vector<JoinedRow> rows;
  for (const ComparisonFolder& folder : folders) {
    const FolderFacts facts = facts_of(folder);
    for (const Comparison& row : folder.comparisons) {
      JoinedRow& joined = rows.emplace_back();
      joined.where.folder = folder.name;
      joined.where.git_commit = facts.git_commit;
      joined.where.torch_version = facts.torch_version;
      joined.where.threads = facts.threads;
      joined.row = row;
    }
  }
  for (std::size_t i = 1; i < folders.size(); ++i) {
    for (JoinedRow& change : speed_changes(folders.front(), folders[i])) {
      rows.push_back(std::move(change));
    }
  }
  return rows;
}

}  // namespace mpbench::bench
