#include "causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mpbench/device/nvml.hpp"

namespace mpbench::explain {
namespace {

using profile::ConvolutionRecord;
using profile::OperatorKind;

// Shares of a step above which something is a cause.
constexpr double notable_data_wait = 0.05;
constexpr double notable_idle_device = 0.15;
constexpr double notable_casts = 0.10;
constexpr double notable_format_gain = 0.05;
constexpr double notable_padding = 0.10;
constexpr double notable_fixed_cost = 0.25;
constexpr double notable_optimizer = 0.25;
constexpr double notable_memory_bound = 0.50;
// Of all processors' time, by other programs and by the hypervisor together.
constexpr double notable_other_load = 0.05;
/// A dtype that multiplies less than this much faster than float32 cannot pay by its arithmetic.
constexpr double notable_rate_gain = 1.2;

/// One arm, as the rules look at it.
struct View {
  const MeasuredArm& arm;
  const ExplainedArm& explained;
  const ExplainedArm& baseline;
  const MeasuredMachine& machine;

  double ms(std::initializer_list<OperatorKind> kinds) const {
    double sum = 0;
    for (const KindRow& row : explained.kinds) {
      if (std::find(kinds.begin(), kinds.end(), row.kind) != kinds.end()) sum += row.ms;
    }
    return sum;
  }
  double share(std::initializer_list<OperatorKind> kinds) const {
    return explained.step_ms > 0 ? ms(kinds) / explained.step_ms : 0;
  }
  double share_of_step(double ms) const {
    return explained.step_ms > 0 ? ms / explained.step_ms : 0;
  }
  bool on_gpu() const { return arm.run.device != cpu_name; }
  /// "12.3 of 40.1 ms a step (31 %)".
  std::string of_step(double ms) const {
    return fmt::format("{:.3g} of {:.3g} ms a step ({:.0f} %)", ms, explained.step_ms,
                       100 * share_of_step(ms));
  }

  static constexpr std::string_view cpu_name = "cpu";
};

using Finding = std::optional<Cause>;

/// A cause where the figure is above the threshold.
Finding above(CauseKind kind, double figure, double threshold, std::string evidence,
              std::string remedy) {
  if (!(figure >= threshold)) return std::nullopt;
  return Cause{.kind = kind,
               .figure = figure,
               .threshold = threshold,
               .evidence = std::move(evidence),
               .remedy = std::move(remedy)};
}

Finding data_wait(const View& view) {
  return above(CauseKind::data_wait, view.share({OperatorKind::data_wait}), notable_data_wait,
               "waits for data for " + view.of_step(view.ms({OperatorKind::data_wait})),
               "more loader threads (--workers), or images prepared once (mpbench preprocess)");
}

Finding launch_bound(const View& view) {
  if (!view.on_gpu()) return std::nullopt;
  return above(
      CauseKind::launch_bound, view.share({OperatorKind::host}), notable_idle_device,
      "the device is idle between kernels for " + view.of_step(view.ms({OperatorKind::host})),
      "a CUDA graph of the step (--cuda-graph), or a larger batch (--batch-size)");
}

/// What is said of how the arm's precision is computed on the CPU.
std::string_view arithmetic_of(const bench::RunRecord& run) {
  return run.bf16_convolution.empty() ? run.fp16_convolution : run.bf16_convolution;
}

Finding slow_dtype(const View& view) {
  const auto before = view.machine.rates.gflop_per_s(view.baseline.precision);
  const auto after = view.machine.rates.gflop_per_s(view.explained.precision);
  if (!is_mixed(view.explained.precision) || !before || !after) return std::nullopt;
  const double gain = *after / *before;
  if (gain >= notable_rate_gain) return std::nullopt;
  const std::string_view how = arithmetic_of(view.arm.run);
  return Cause{
      .kind = CauseKind::slow_dtype,
      .figure = gain,
      .threshold = notable_rate_gain,
      .evidence = fmt::format(
          "matrix products reach {:.3g} GFLOP/s in {} and {:.3g} in {} here: {:.2f}x{}", *after,
          to_string(view.explained.precision), *before, to_string(view.baseline.precision), gain,
          how.empty() ? "" : fmt::format(" ({})", how)),
      .remedy =
          "another precision, or a processor or GPU with units for it "
          "(mpbench info)"};
}

Finding tf32_baseline(const View& view) {
  const bool is_baseline = &view.explained == &view.baseline;
  if (!is_baseline || view.explained.precision != Precision::tf32) return std::nullopt;
  const auto strict = view.machine.rates.gflop_per_s(Precision::fp32);
  const auto tf32 = view.machine.rates.gflop_per_s(Precision::tf32);
  if (!strict || !tf32) return std::nullopt;
  return above(CauseKind::tf32_baseline, *tf32 / *strict, notable_rate_gain,
               fmt::format("the baseline computes in TF32, which multiplies {:.1f}x as fast as "
                           "strict float32: part of the gain is in the baseline already",
                           *tf32 / *strict),
               "--baseline precision=fp32 for what mixed precision gains over strict float32");
}

Finding casts(const View& view) {
  if (!is_mixed(view.explained.precision)) return std::nullopt;
  return above(CauseKind::casts, view.share({OperatorKind::cast_copy}), notable_casts,
               "casts and copies take " + view.of_step(view.ms({OperatorKind::cast_copy})),
               "a larger batch (weights are cast once a step), fewer operators that autocast keeps "
               "in float32");
}

double own_ms(const ConvolutionRecord& row) {
  return row.forward_ms + row.data_gradient_ms + row.weight_gradient_ms;
}

Finding memory_format(const View& view) {
  double now_ms = 0;
  double other_ms = 0;
  for (const ConvolutionRecord& row : view.arm.profile.convolutions) {
    now_ms += row.calls * own_ms(row);
    other_ms += row.calls * row.other_format_ms;
  }
  const bool channels_last = view.arm.run.channels_last.value_or(true);
  const char* const now = channels_last ? "channels_last" : "NCHW";
  const char* const other = channels_last ? "NCHW" : "channels_last";
  return above(CauseKind::memory_format, view.share_of_step(now_ms - other_ms), notable_format_gain,
               fmt::format("the slowest convolutions take {:.3g} ms a step in {} and {:.3g} in {}",
                           now_ms, now, other_ms, other),
               channels_last ? "--no-channels-last" : "--channels-last");
}

Finding channels(const View& view) {
  double wasted_ms = 0;
  double most_ms = 0;
  std::string example;
  for (const ConvolutionRecord& row : view.arm.profile.convolutions) {
    if (!row.padded_ms || !row.padded_work || *row.padded_work <= 1) continue;
    // With the same multiplications a second as the padded one has.
    const double wasted = row.calls * (own_ms(row) - *row.padded_ms / *row.padded_work);
    wasted_ms += std::max(0.0, wasted);
    if (wasted <= most_ms) continue;
    most_ms = wasted;
    example = fmt::format("{} channels take {:.3g} ms, {} take {:.3g} ms", row.channels,
                          own_ms(row), row.padded_channels, *row.padded_ms);
  }
  return above(CauseKind::channels, view.share_of_step(wasted_ms), notable_padding,
               fmt::format("channels that are no multiples of what kernels take at a time waste "
                           "{}: {}",
                           view.of_step(wasted_ms), example),
               "layers with multiples of 8 channels, or of 16 for bf16 on a CPU");
}

Finding small_batch(const View& view) {
  const std::initializer_list<OperatorKind> fixed = {
      OperatorKind::optimizer, OperatorKind::gradient_scaler, OperatorKind::host};
  return above(CauseKind::small_batch, view.share(fixed), notable_fixed_cost,
               fmt::format("what does not grow with the batch (optimizer, scaler, starting "
                           "operators) takes {} at batches of {}",
                           view.of_step(view.ms(fixed)), view.arm.run.batch_size.value_or(0)),
               "a larger batch (--batch-size)");
}

Finding optimizer(const View& view) {
  const std::initializer_list<OperatorKind> kinds = {OperatorKind::optimizer,
                                                     OperatorKind::gradient_scaler};
  return above(CauseKind::optimizer, view.share(kinds), notable_optimizer,
               fmt::format("optimizer and scaler take {} for {} parameters, in float32 in every "
                           "precision",
                           view.of_step(view.ms(kinds)), view.arm.run.parameters.value_or(0)),
               "a larger batch, gradient accumulation (--accumulate), or sgd, which moves less");
}

Finding memory_bound(const View& view) {
  const std::initializer_list<OperatorKind> kinds = {
      OperatorKind::depthwise, OperatorKind::norm_activation, OperatorKind::pooling};
  return above(CauseKind::memory_bound, view.share(kinds), notable_memory_bound,
               "depthwise convolutions, norms, activations and pooling, which move more than they "
               "multiply, take " +
                   view.of_step(view.ms(kinds)),
               "a model with more matrix products in its time; mixed precision gains by smaller "
               "tensors alone here");
}

Finding oversubscribed(const View& view) {
  const auto threads = static_cast<double>(view.arm.run.threads.value_or(0));
  const double ratio = threads / std::max(1, view.machine.processors);
  if (view.on_gpu() || !(ratio > 1)) return std::nullopt;
  return Cause{
      .kind = CauseKind::oversubscribed,
      .figure = ratio,
      .threshold = 1,
      .evidence = fmt::format("{:.0f} threads compute on {} processors, and lost one {:.3g} "
                              "times a step",
                              threads, view.machine.processors, view.arm.preemptions),
      .remedy = fmt::format("--threads {}", view.machine.processors)};
}

Finding other_load(const View& view) {
  const bench::SessionRecord& session = view.machine.session;
  const double other = session.other_cpu_fraction.value_or(0);
  const double steal = session.steal_fraction.value_or(0);
  return above(CauseKind::other_load, other + steal, notable_other_load,
               fmt::format("other programs used {:.0f} % of the processors, the hypervisor took "
                           "{:.0f} %",
                           100 * other, 100 * steal),
               "a quiet machine; a comparison in sessions (mpbench compare) goes on beside it");
}

Finding throttled(const View& view) {
  const std::string& reasons = view.machine.session.device_throttled;
  if (reasons.empty() || reasons == device::throttle_words(0)) return std::nullopt;
  return Cause{.kind = CauseKind::throttled,
               .figure = 1,
               .threshold = 1,
               .evidence = "the GPU's clocks were held back: " + reasons,
               .remedy = "cooling or a higher power limit; figures of short runs flatter"};
}

constexpr auto rules = std::to_array<Finding (*)(const View&)>(
    {data_wait, launch_bound, slow_dtype, tf32_baseline, casts, memory_format, channels,
     small_batch, optimizer, memory_bound, oversubscribed});
/// These are the same for every arm.
constexpr auto machine_rules = std::to_array<Finding (*)(const View&)>({other_load, throttled});

}  // namespace

std::vector<Cause> find_causes(const std::vector<MeasuredArm>& arms,
                               const std::vector<ExplainedArm>& explained,
                               const MeasuredMachine& machine) {
  std::vector<Cause> causes;
  const auto apply = [&](const auto& all, std::size_t i, const std::string& name) {
    const View view{arms[i], explained[i], explained.front(), machine};
    for (const auto rule : all) {
      if (Finding found = rule(view)) {
        found->arm = name;
        causes.push_back(*std::move(found));
      }
    }
  };
  for (std::size_t i = 0; i < arms.size(); ++i) apply(rules, i, arms[i].name);
  if (!arms.empty()) apply(machine_rules, 0, "");
  return causes;
}

}  // namespace mpbench::explain
