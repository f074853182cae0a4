#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpbench/stats/statistics.hpp"

namespace mpbench::report {
namespace {

using bench::Comparison;
using bench::RunRecord;
using Runs = std::vector<const RunRecord*>;

const std::string nothing = "-";

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

/// A rate or time with three digits or more that mean something.
std::string figure(const std::optional<double>& value) {
  if (!value) return nothing;
  const int decimals = *value >= 1000 ? 0 : *value >= 100 ? 1 : *value >= 10 ? 2 : 3;
  return fmt::format("{:.{}f}", *value, decimals);
}

std::string bytes_text(const std::optional<double>& bytes) {
  if (!bytes) return nothing;
  constexpr double mebibyte = 1024.0 * 1024.0;
  constexpr double gibibyte = 1024.0 * mebibyte;
  return *bytes >= gibibyte ? fmt::format("{:.2f} GiB", *bytes / gibibyte)
                            : fmt::format("{:.0f} MiB", *bytes / mebibyte);
}

std::string ratio_text(double ratio) { return fmt::format("{:.{}f}", ratio, ratio < 10 ? 3 : 1); }

std::string delta_text(double delta) { return fmt::format("{:+.4f}", delta); }

/// "1.503 [1.455, 1.551]", or the figure alone where it has no interval.
template <class Format>
std::string estimate_text(const std::optional<double>& value, const std::optional<double>& low,
                          const std::optional<double>& high, Format format) {
  if (!value) return nothing;
  if (!low || !high) return format(*value);
  return fmt::format("{} [{}, {}]", format(*value), format(*low), format(*high));
}

Colour colour_of(bench::SpeedVerdict verdict) {
  switch (verdict) {
    case bench::SpeedVerdict::faster:
      return Colour::good;
    case bench::SpeedVerdict::slower:
      return Colour::bad;
    case bench::SpeedVerdict::indistinguishable:
      break;
  }
  return Colour::dim;
}

Colour colour_of(bench::AccuracyVerdict verdict) {
  switch (verdict) {
    case bench::AccuracyVerdict::non_inferior:
      return Colour::good;
    case bench::AccuracyVerdict::inferior:
      return Colour::bad;
    case bench::AccuracyVerdict::inconclusive:
      break;
  }
  return Colour::dim;
}

template <class Verdict>
TextCell verdict_cell(const std::optional<Verdict>& verdict) {
  if (!verdict) return {nothing, Colour::dim};
  return {std::string(enum_name(*verdict)), colour_of(*verdict)};
}

bool same_block(const Comparison& a, const Comparison& b) {
  return a.model == b.model && a.dataset == b.dataset && a.batch_size == b.batch_size &&
         a.image_size == b.image_size && a.channels_last == b.channels_last && a.seed == b.seed &&
         a.device_name == b.device_name && a.baseline_precision == b.baseline_precision;
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

SummaryBlock make_block(std::span<const Comparison> rows, std::span<const RunRecord> runs) {
  const Comparison& first = rows.front();
  SummaryBlock block;
  block.title = make_title(first);
  const std::string confidence =
      first.confidence ? fmt::format(" [{:g} % CI]", 100 * *first.confidence) : std::string();

  // Different arms may have lost different repeats: the baseline's own line takes every run that
  // any arm used.
  Runs baseline;
  std::optional<bench::ComparedMetric> metric;
  for (const Comparison& row : rows) {
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

  block.speed.header = {"precision", "images/s", "step ms", "speed-up" + confidence,
                        "memory",    "verdict"};
  block.speed.rows.push_back({{first.baseline_precision},
                              {figure(median_of(baseline, &RunRecord::images_per_s))},
                              {figure(median_of(baseline, &RunRecord::step_ms_median))},
                              {"baseline", Colour::dim},
                              {bytes_text(memory)},
                              {}});
  block.accuracy.header = {"precision", metric ? std::string(enum_name(*metric)) : "metric",
                           "difference" + confidence, "skipped", "verdict"};
  block.accuracy.rows.push_back({{first.baseline_precision},
                                 {metric_text(baseline, metric)},
                                 {"baseline", Colour::dim},
                                 {skipped_text(baseline)},
                                 {}});
  for (const Comparison& row : rows) {
    const Runs arm = find_runs(row.arm_run, runs);
    block.speed.rows.push_back(
        {{row.arm_precision},
         {figure(median_of(arm, &RunRecord::images_per_s))},
         {figure(median_of(arm, &RunRecord::step_ms_median))},
         {estimate_text(row.speedup, row.speedup_ci_low, row.speedup_ci_high, ratio_text)},
         {row.memory_ratio ? fmt::format("{:.2f}x", *row.memory_ratio) : nothing},
         verdict_cell(row.speed_verdict)});
    block.accuracy.rows.push_back({{row.arm_precision},
                                   {metric_text(arm, metric)},
                                   {estimate_text(row.metric_delta, row.metric_delta_ci_low,
                                                  row.metric_delta_ci_high, delta_text)},
                                   {skipped_text(arm)},
                                   verdict_cell(row.accuracy_verdict)});
  }

  std::string how = "Speed-up: images/s over " + first.baseline_precision + "'s, paired by repeat";
  for (const Comparison& row : rows) {
    if (!row.noise_floor) continue;
    how +=
        fmt::format("; a verdict needs more than the noise floor of {}", percent(*row.noise_floor));
    break;
  }
  if (first.margin) how += fmt::format(". Accuracy margin: {:g}", *first.margin);
  block.notes.push_back(how + ".");
  for (const Comparison& row : rows) {
    if (!row.note.empty()) block.notes.push_back(row.arm_precision + ": " + row.note);
  }
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
