#include "summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpbench/stats/statistics.hpp"
#include "summary_cells.hpp"

namespace mpbench::report {
namespace {

using bench::Comparison;
using bench::RunRecord;
using Runs = std::vector<const RunRecord*>;

/// The ok runs among ids joined by ';'.
Runs find_runs(const std::string& ids, std::span<const RunRecord> runs) {
  Runs found;
  for (std::size_t start = 0; start <= ids.size();) {
    const std::size_t end = std::min(ids.find(';', start), ids.size());
    const std::string id = ids.substr(start, end - start);
    for (const RunRecord& run : runs) {
      if (run.run_id == id && run.status == bench::RunStatus::ok) found.push_back(&run);
    }
    start = end + 1;
  }
  return found;
}

/// The median of the runs that have a figure: a column, or a function of a run.
template <class Figure>
std::optional<double> median_of(const Runs& runs, const Figure& figure) {
  std::vector<double> values;
  for (const RunRecord* run : runs) {
    const auto value = std::invoke(figure, *run);
    if (value && std::isfinite(static_cast<double>(*value))) {
      values.push_back(static_cast<double>(*value));
    }
  }
  if (values.empty()) return std::nullopt;
  return stats::median(values);
}

std::string bytes_text(const std::optional<double>& bytes) {
  if (!bytes) return nothing;
  constexpr double mebibyte = 1024.0 * 1024.0;
  constexpr double gibibyte = 1024.0 * mebibyte;
  return *bytes >= gibibyte ? fmt::format("{:.2f} GiB", *bytes / gibibyte)
                            : fmt::format("{:.0f} MiB", *bytes / mebibyte);
}

std::string delta_text(double delta) { return fmt::format("{:+.4f}", delta); }

bool same_block(const Comparison& a, const Comparison& b) {
  if (!a.configuration.empty() || !b.configuration.empty()) {
    return a.configuration == b.configuration && a.device_name == b.device_name;
  }
  return a.model == b.model && a.dataset == b.dataset && a.batch_size == b.batch_size &&
         a.image_size == b.image_size && a.channels_last == b.channels_last && a.seed == b.seed &&
         a.device_name == b.device_name && a.baseline_precision == b.baseline_precision;
}

std::string name_of_baseline(const Comparison& row) {
  return row.compared_with.empty() ? row.baseline_precision : row.compared_with;
}

std::string name_of_arm(const Comparison& row) {
  return row.arm.empty() ? row.arm_precision : row.arm;
}

/// Whether the arms are the rungs of a ladder, each compared with the one before.
bool is_ladder(std::span<const Comparison> rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const Comparison& row) {
    return name_of_baseline(row) != name_of_baseline(rows.front());
  });
}

/// A rung is what was changed; the last one once more is all of it.
std::string name_in_table(std::span<const Comparison> rows, const Comparison& row) {
  if (!is_ladder(rows) || row.arm_kind == bench::ArmKind::null) return name_of_arm(row);
  const bool is_rung =
      &row == &rows.front() || name_of_baseline(row) != name_of_baseline(rows.front());
  return is_rung ? "+ " + name_of_arm(row) : "all";
}

std::vector<std::string> make_title(const Comparison& row) {
  std::string what = row.model;
  if (!row.dataset.empty()) what += " on " + row.dataset;
  if (row.batch_size) what += fmt::format(", batch {}", *row.batch_size);
  if (row.image_size) what += fmt::format(", {} px", *row.image_size);
  if (row.channels_last) what += *row.channels_last ? ", channels-last" : ", channels-first";
  if (row.seed) what += fmt::format(", seed {}", *row.seed);
  std::vector<std::string> title{what};
  if (!row.device_name.empty()) title.push_back(row.device_name);
  return title;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string skipped_text(const Runs& runs) {
  std::int64_t skipped = 0;
  for (const RunRecord* run : runs) {
    if (!run->skipped_steps) return nothing;
    skipped += *run->skipped_steps;
  }
  return runs.empty() ? nothing : std::to_string(skipped);
}

/// The runs' median of a metric.
std::string metric_text(const Runs& runs, std::optional<bench::ComparedMetric> metric) {
  if (!metric) return nothing;
  const auto value =
      median_of(runs, [&](const RunRecord& run) { return bench::value_of(run, *metric); });
  return value ? fmt::format("{:.4f}", *value) : nothing;
}

void add_arm(std::span<const Comparison> rows, const Comparison& row,
             std::span<const RunRecord> runs, std::optional<bench::ComparedMetric> metric,
             SummaryBlock& block) {
  const Runs arm = find_runs(row.arm_run, runs);
  block.speed.rows.push_back(
      {{name_in_table(rows, row)},
       {figure(median_of(arm, &RunRecord::images_per_s))},
       {figure(median_of(arm, &RunRecord::step_ms_median))},
       {estimate_text(row.speedup, row.speedup_ci_low, row.speedup_ci_high, ratio_text)},
       {row.memory_ratio ? fmt::format("{:.2f}x", *row.memory_ratio) : nothing},
       speed_verdict_cell(row)});
  block.accuracy.rows.push_back({{name_in_table(rows, row)},
                                 {metric_text(arm, metric)},
                                 {estimate_text(row.metric_delta, row.metric_delta_ci_low,
                                                row.metric_delta_ci_high, delta_text)},
                                 {skipped_text(arm)},
                                 accuracy_verdict_cell(row)});
}

bool is_among(const std::string& remark, const std::vector<std::string>& remarks) {
  return std::find(remarks.begin(), remarks.end(), remark) != remarks.end();
}

/// Those of every arm, where there are several.
std::vector<std::string> shared_remarks(std::span<const Comparison> rows) {
  if (rows.size() < 2) return {};
  std::vector<std::string> shared = bench::remarks_of(rows.front().note);
  for (const Comparison& row : rows.subspan(1)) {
    const std::vector<std::string> others = bench::remarks_of(row.note);
    std::erase_if(shared, [&](const std::string& remark) { return !is_among(remark, others); });
  }
  return shared;
}

/// How the figures came about, and what each arm has to say.
void add_notes(std::span<const Comparison> rows, SummaryBlock& block) {
  const Comparison& first = rows.front();
  std::string how = fmt::format("Speed-up: useful images/s over {}'s, ", name_of_baseline(first));
  if (is_ladder(rows)) {
    how =
        fmt::format("Speed-up: useful images/s over those of the line above, of 'all' over {}'s, ",
                    name_of_baseline(first));
  }
  how += first.configuration.empty()
             ? std::string("paired by repeat")
             : fmt::format("{} session{} of fresh processes, {} rounds", first.sessions,
                           first.sessions == 1 ? "" : "s", first.rounds);
  if (first.process_sd) {
    how += fmt::format("; two processes of one kind differ by a standard deviation of {}",
                       percent(std::sqrt(2.0) * *first.process_sd));
  }
  const bool judges_accuracy = !block.accuracy.rows.empty();
  if (first.margin && judges_accuracy) {
    how += fmt::format(". Accuracy margin: {:g}", *first.margin);
  }
  block.notes.push_back(how + ".");
  for (const Comparison& row : rows) {
    if (row.arm_kind == bench::ArmKind::null || !row.detectable_effect) continue;
    block.notes.push_back(
        fmt::format("{}: a difference of {} would be found in 80 % of such "
                    "comparisons.",
                    name_in_table(rows, row), percent(*row.detectable_effect)));
  }
  const std::vector<std::string> shared = shared_remarks(rows);
  for (const std::string& remark : shared) block.notes.push_back("all arms: " + remark);
  for (const Comparison& row : rows) {
    std::vector<std::string> own = bench::remarks_of(row.note);
    std::erase_if(own, [&](const std::string& remark) { return is_among(remark, shared); });
    if (own.empty()) continue;
    block.notes.push_back(fmt::format("{}: {}", name_of_arm(row), fmt::join(own, "; ")));
  }
}

SummaryBlock make_block(std::span<const Comparison> rows, std::span<const RunRecord> runs) {
  const Comparison& first = rows.front();
  SummaryBlock block;
  block.configuration = first.configuration;
  block.title = make_title(first);
  const std::string confidence = confidence_label(first);

  // Different arms may have lost different repeats: the baseline's own line takes every run that
  // any arm used.
  Runs baseline;
  std::optional<bench::ComparedMetric> metric;
  for (const Comparison& row : rows) {
    if (name_of_baseline(row) != name_of_baseline(first)) continue;  // a rung of a ladder
    for (const RunRecord* run : find_runs(row.baseline_run, runs)) {
      if (std::find(baseline.begin(), baseline.end(), run) == baseline.end()) {
        baseline.push_back(run);
      }
    }
    if (!metric) metric = row.metric;
  }
  const bool on_device = median_of(baseline, &RunRecord::peak_device_bytes).has_value();
  const auto memory = on_device ? median_of(baseline, &RunRecord::peak_device_bytes)
                                : median_of(baseline, &RunRecord::peak_rss_bytes);

  block.speed.header = {"arm", "images/s", "step ms", "speed-up" + confidence, "memory", "verdict"};
  block.speed.spare = {"step ms", "memory"};
  block.speed.rows.push_back({{name_of_baseline(first)},
                              {figure(median_of(baseline, &RunRecord::images_per_s))},
                              {figure(median_of(baseline, &RunRecord::step_ms_median))},
                              {"baseline", Colour::dim},
                              {bytes_text(memory)},
                              {}});
  block.accuracy.header = {"arm", metric ? std::string(enum_name(*metric)) : "metric",
                           "difference" + confidence, "skipped", "verdict"};
  block.accuracy.spare = {"skipped"};
  block.accuracy.rows.push_back({{name_of_baseline(first)},
                                 {metric_text(baseline, metric)},
                                 {"baseline", Colour::dim},
                                 {skipped_text(baseline)},
                                 {}});
  for (const Comparison& row : rows) add_arm(rows, row, runs, metric, block);
  const bool judged = metric || std::any_of(rows.begin(), rows.end(), [](const Comparison& row) {
                        return row.accuracy_verdict.has_value();
                      });
  if (!judged) block.accuracy = {};
  if (bench::is_over_folds(first)) block.speed = {};
  add_notes(rows, block);
  return block;
}

}  // namespace

std::vector<SummaryBlock> summarize(std::span<const Comparison> comparisons,
                                    std::span<const RunRecord> runs) {
  std::vector<std::vector<Comparison>> groups;
  for (const Comparison& row : comparisons) {
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return same_block(group.front(), row);
    });
    if (found != groups.end()) {
      found->push_back(row);
    } else {
      groups.push_back({row});
    }
  }
  std::vector<SummaryBlock> blocks;
  for (const auto& group : groups) blocks.push_back(make_block(group, runs));
  return blocks;
}

}  // namespace mpbench::report
