#include "mpbench/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "annotate_oom.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/step_range.hpp"
#include "mpbench/nn/backbone.hpp"
#include "trainer_state.hpp"
#include "training_windows.hpp"

namespace mpbench::train {
namespace {

/// A step that overflowed leaves weights that are not numbers, and the loss shows it only in the
/// step after.
void require_finite_weights(const torch::nn::Module& model) {
  const torch::NoGradGuard no_grad;
  std::vector<std::string> names;
  std::vector<torch::Tensor> tensors;
  const auto add = [&](const auto& entries) {
    for (const auto& entry : entries) {
      if (!entry.value().is_floating_point() || entry.value().numel() == 0) continue;
      names.push_back(entry.key());
      tensors.push_back(entry.value());
    }
  };
  add(model.named_parameters());
  add(model.named_buffers());
  // The largest magnitude of each, which is NaN where a value is; read together, as each reading
  // waits for a GPU.
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const torch::Tensor largest =
      torch::stack(at::_foreach_norm(tensors, infinity)).to(torch::kCPU, torch::kFloat64);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!std::isfinite(largest.const_data_ptr<double>()[i])) {
      throw Diverged(fmt::format("{} holds values that are not finite", names[i]));
    }
  }
}

/// The next step's batches: fewer than --accumulate at the epoch's end.
std::vector<data::Batch> next_batches(Trainer::State& s) {
  const device::StepRange range(device::StepPart::data_wait);
  return annotate_oom(s, {}, [&] {
    std::vector<data::Batch> batches;
    while (batches.size() < static_cast<std::size_t>(s.config.accumulate)) {
      auto batch = s.train_loader.next(s.graphed ? s.graphed->place() : torch::Tensor());
      if (!batch) break;
      batches.push_back(std::move(*batch));
    }
    return batches;
  });
}

std::int64_t count_images(const std::vector<data::Batch>& batches) {
  std::int64_t images = 0;
  for (const auto& batch : batches) images += batch.labels.size(0);
  return images;
}

/// Empty with more than two classes.
std::optional<std::int64_t> count_positives(const std::vector<data::Batch>& batches,
                                            const Trainer::State& s) {
  if (s.criterion.task != Task::binary) return std::nullopt;
  std::int64_t positives = 0;
  for (const auto& batch : batches) {
    positives += std::count_if(batch.indices.begin(), batch.indices.end(), [&](std::int64_t i) {
      return s.set.samples[static_cast<std::size_t>(i)].label == 1;
    });
  }
  return positives;
}

}  // namespace

Trainer::Trainer(const TrainConfig& config, const data::ImageDataset& set, bool will_restore)
    : state_(std::make_unique<State>(config, set, will_restore)) {}
Trainer::~Trainer() = default;

std::optional<double> Trainer::warm_up() {
  State& s = *state_;
  if (s.config.warmup_steps == 0) return std::nullopt;
  std::vector<torch::Tensor> live = s.model->parameters();
  for (const auto& buffer : s.model->buffers()) live.push_back(buffer);
  std::vector<torch::Tensor> saved;
  // On the host: beside the weights on a GPU they would count as memory that training needs.
  for (const auto& tensor : live) {
    saved.push_back(tensor.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true));
  }

  std::optional<double> first_step_s;
  s.begin_training();
  const ProgressFunction untold;
  TrainingWindows windows(s, untold);
  const int steps = std::max(s.config.warmup_steps, s.graphed ? GraphedStep::steps_to_record : 0);
  for (int done = 0; done < steps;) {
    s.train_loader.start_epoch(0);
    for (auto batches = next_batches(s); !batches.empty() && done < steps;
         batches = next_batches(s)) {
      throw_if_interrupted();
      annotate_oom(s, batches, [&] { s.step(batches); });
      if (!first_step_s) {
        device::synchronize(s.device);
        first_step_s = seconds_since_process_start();
      }
      ++done;
    }
  }
  // CUDA loads a kernel when it is first used, for milliseconds: those of a window's end too.
  windows.close();
  device::synchronize(s.device);

  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live.size(); ++i) live[i].copy_(saved[i]);
  s.reset();
  return first_step_s;
}

StepStats& StepStats::operator+=(const StepStats& other) {
  // A state of an earlier version has images of which it is not known.
  if (other.positives && (positives || images == 0)) {
    positives = positives.value_or(0) + *other.positives;
  }
  steps += other.steps;
  images += other.images;
  time_s += other.time_s;
  data_wait_s += other.data_wait_s;
  step_s.insert(step_s.end(), other.step_s.begin(), other.step_s.end());
  complete = complete && other.complete;
  return *this;
}

StepStats Trainer::train_steps(std::int64_t steps, const ProgressFunction& progress) {
  State& s = *state_;
  StepStats block;
  const auto add = [&](const StepStats& part) {
    block += part;
    s.epoch.stats += part;
  };
  const double waited_before = s.train_loader.wait_seconds();
  s.begin_training();
  s.continue_epoch();
  s.train_loader.resume();
  device::synchronize(s.device);
  const Stopwatch whole;
  TrainingWindows windows(s, progress);
  while (block.steps < steps && !at_epoch_end() && !interrupt_requested()) {
    const std::vector<data::Batch> batches = next_batches(s);
    windows.begin_step();
    s.epoch.lr = s.schedule.lr(s.steps_done);
    s.optimizer->set_lr(s.epoch.lr);
    annotate_oom(s, batches, [&] { s.handicapped_step(batches); });
    windows.end_step();
    s.has_gradients = true;
    ++s.steps_done;
    const std::int64_t images = count_images(batches);
    add({.steps = 1, .images = images, .positives = count_positives(batches, s)});
    windows.step_done(images);
  }
  windows.finish();
  device::synchronize(s.device);
  add({.time_s = whole.seconds(),
       .data_wait_s = s.train_loader.wait_seconds() - waited_before,
       .step_s = windows.take_step_seconds()});
  s.train_loader.pause();
  block.complete = block.steps == steps || at_epoch_end();
  return block;
}

void Trainer::on_window(WindowFunction told) { state_->on_window = std::move(told); }

bool Trainer::at_epoch_end() const {
  const State& s = *state_;
  return s.epoch.stats.steps == s.steps_per_epoch || finished();
}

bool Trainer::epoch_open() const { return state_->epoch.stats.steps > 0; }

bool Trainer::epoch_cut() const {
  const State& s = *state_;
  return finished() && s.epoch.stats.steps > 0 && s.epoch.stats.steps < s.steps_per_epoch;
}

EpochResult Trainer::finish_epoch() {
  State& s = *state_;
  const auto per_step = static_cast<double>(std::max<std::int64_t>(1, s.epoch.stats.steps));
  EpochResult result{s.epoch.stats};
  result.complete = at_epoch_end();
  result.epoch = s.epochs_done + 1;
  result.cut_short = s.epoch.stats.steps < s.steps_per_epoch;
  result.lr = s.epoch.lr;
  result.train_loss = s.sums.loss_sum() / per_step;
  result.train_accuracy = static_cast<double>(s.sums.right()) /
                          static_cast<double>(std::max<std::int64_t>(1, s.epoch.stats.images));
  if (s.scaler.is_enabled()) {
    result.skipped_steps = s.scaler.skipped_steps() - s.epoch.skipped_before;
    result.loss_scale = s.scaler.get_scale();
  }
  if (result.complete) {
    ++s.epochs_done;
    s.clear_epoch();
  }
  return result;
}

bool Trainer::finished() const { return state_->steps_done >= state_->total_steps; }

ValidationResult Trainer::validate(const ProgressFunction& progress) {
  State& s = *state_;
  std::optional<EmaWeightsGuard> averaged;
  if (s.ema) averaged.emplace(*s.ema);
  try {
    require_finite_weights(*s.model);
    return evaluate(*s.model, s.validation_loader, s.criterion, s.config.precision, s.set,
                    progress);
  } catch (const std::exception& error) {
    const auto after = fmt::format("in the validation after epoch {}, step {}",
                                   s.epochs_done + (epoch_open() ? 1 : 0), s.steps_done);
    if (dynamic_cast<const Diverged*>(&error) != nullptr) {
      throw Diverged(fmt::format("{}, {}", error.what(), after));
    }
    if (!device::is_out_of_memory(error, s.device)) throw;
    throw OutOfMemory(fmt::format("memory ran out {}, with batches of [{}]: {}", after,
                                  fmt::join(s.batch_shape({}), ", "), first_line(error.what())));
  }
}

const data::Split& Trainer::split() const { return state_->split; }
std::int64_t Trainer::parameters() const {
  const State& s = *state_;
  const std::int64_t all = nn::count_parameters(*s.model);
  std::int64_t frozen = 0;
  if (s.always_frozen()) {
    for (const auto& parameter : nn::backbone_parameters(*s.model)) frozen += parameter.numel();
  }
  return all - frozen;
}
std::optional<std::int64_t> Trainer::graph_peak_bytes() const {
  return state_->graphed ? state_->graphed->peak_bytes() : std::nullopt;
}
std::int64_t Trainer::steps_done() const { return state_->steps_done; }
std::int64_t Trainer::total_steps() const { return state_->total_steps; }
std::int64_t Trainer::skipped_steps() const {
  const State& s = *state_;
  return s.scaler.is_enabled() ? s.scaler.skipped_steps() : 0;
}
std::string Trainer::convolution_arithmetic() const {
  const auto& kernels = state_->cpu_kernels;
  if (!kernels || !is_mixed(state_->config.precision)) return "";
  const auto& emulated = kernels->options().emulated;
  return emulated ? emulated->label() : "framework";
}
std::string Trainer::cpu_kernels() const {
  const auto& kernels = state_->cpu_kernels;
  return kernels ? kernels->label() : std::string(enum_name(kernels::DepthwiseBackend::framework));
}
std::string Trainer::weights_report() const { return state_->weights_report; }

}  // namespace mpbench::train
