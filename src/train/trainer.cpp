#include "mpbench/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "mpbench/amp/fp16_conv.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/float32_precision.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/optimizer.hpp"
#include "mpbench/train/schedule.hpp"
#include "mpbench/train/step.hpp"

namespace mpbench::train {
namespace {

// On CUDA the host runs ahead of the device: times mean something only between two
// synchronisations.
constexpr std::int64_t cuda_window_steps = 10;
// A rate over the last steps moves with the machine; one over the whole epoch lags behind it.
constexpr double rate_smoothing = 0.1;

std::vector<float> triple(float a, float b, float c, int channels) {
  if (channels == 3) return {a, b, c};
  return {(a + b + c) / 3};
}

data::Normalization choose_normalization(const std::string& name, const data::ImageSet& set,
                                         const data::Split& split) {
  if (name == "none") return {};
  if (name == "unit") return {.mean = {0.5F}, .deviation = {0.5F}};
  // torchvision's constants for models trained on ImageNet; their mean for grey images.
  if (name == "imagenet" || (name == "auto" && set.channels == 3)) {
    return {.mean = triple(0.485F, 0.456F, 0.406F, set.channels),
            .deviation = triple(0.229F, 0.224F, 0.225F, set.channels)};
  }
  return data::measure_normalization(set, split.train);
}

data::Split choose_split(const TrainConfig& config, const data::ImageSet& set) {
  if (config.folds > 0) {
    if (config.split.empty() && set.given_split) {
      throw UsageError(fmt::format(
          "--folds: dataset {} has a split of its own: name a file of folds with --split",
          set.dataset));
    }
    auto folds = config.split.empty()
                     ? data::grouped_stratified_folds(set.samples, config.folds, config.seed)
                     : data::read_folds_csv(config.split, set.samples, config.folds);
    return std::move(folds[static_cast<std::size_t>(config.fold)]);
  }
  if (!config.split.empty()) return data::read_split_csv(config.split, set.samples);
  if (set.given_split) return *set.given_split;
  return data::grouped_stratified_split(set.samples, config.validation_fraction, config.seed);
}

Loss choose_loss(const TrainConfig& config, const data::ImageSet& set, const data::Split& split) {
  Loss loss{.task = task_of(static_cast<int>(set.classes.size())), .pos_weight = {}};
  if (config.balance == "weight" && loss.task == Task::binary) {
    const auto positives = std::count_if(
        split.train.begin(), split.train.end(),
        [&](std::int64_t i) { return set.samples[static_cast<std::size_t>(i)].label == 1; });
    const auto all = static_cast<double>(split.train.size());
    if (positives > 0)
      loss.pos_weight = (all - static_cast<double>(positives)) / static_cast<double>(positives);
  }
  return loss;
}

data::LoaderOptions loader_options(const TrainConfig& config, torch::Device device,
                                   data::Normalization normalization) {
  return {.batch_size = config.batch_size,
          .channels_last = config.channels_last,
          .workers = config.workers,
          .seed = config.seed,
          .device = device,
          .normalization = std::move(normalization)};
}

data::LoaderOptions training_loader_options(data::LoaderOptions options, const TrainConfig& config,
                                            Task task, std::size_t images) {
  options.shuffle = true;
  // Steps of one size: a last small batch would blur the step time, and batch norm cannot take a
  // single image.
  options.drop_last = images >= static_cast<std::size_t>(config.batch_size);
  options.balance_positives =
      task == Task::binary && (config.balance == "auto" || config.balance == "positives");
  options.augment = config.augment;
  return options;
}

amp::GradScalerOptions scaler_options(const TrainConfig& config) {
  return {.init_scale = config.init_scale,
          .growth_interval = config.growth_interval,
          .enabled = config.precision == Precision::fp16};
}

}  // namespace

struct Trainer::State {
  State(const TrainConfig& chosen, const data::ImageSet& images)
      : config(chosen),
        set(images),
        device(device::parse_device(config.device)),
        float32(config.precision == Precision::tf32),
        split(choose_split(config, set)),
        criterion(choose_loss(config, set, split)),
        loading(loader_options(config, device, choose_normalization(config.normalize, set, split))),
        train_loader(set, split.train,
                     training_loader_options(loading, config, criterion.task, split.train.size())),
        validation_loader(set, split.validation, loading) {
    if (config.precision == Precision::fp16 && device.is_cpu()) fp16_convolution.emplace();
    torch::manual_seed(config.seed);
    model = nn::make_model({.name = config.model,
                            .in_channels = set.channels,
                            .outputs = outputs_of(static_cast<int>(set.classes.size()))});
    model->to(device);
    if (config.channels_last) nn::to_channels_last(*model);
    const std::int64_t epoch_steps = train_loader.batches_per_epoch();
    total_steps = config.steps > 0 ? config.steps : epoch_steps * config.epochs;
    schedule = {
        .name = config.schedule,
        .base_lr = config.lr,
        .total_steps = total_steps,
        .warmup_steps = std::llround(config.warmup_epochs * static_cast<double>(epoch_steps))};
    start_afresh();
  }

  void start_afresh() {
    torch::manual_seed(config.seed);
    optimizer =
        make_optimizer(model->parameters(), {.name = config.optimizer,
                                             .lr = config.lr,
                                             .weight_decay = config.weight_decay,
                                             .momentum = config.optimizer == "sgd" ? 0.9 : 0.0});
    scaler = amp::GradScaler(scaler_options(config));
  }

  StepResult step(const data::Batch& batch) {
    return train_step(*model, batch, criterion, *optimizer, scaler, config.precision);
  }

  const TrainConfig config;
  const data::ImageSet& set;
  torch::Device device;
  device::Float32PrecisionGuard float32;
  std::optional<amp::Fp16ConvolutionGuard> fp16_convolution;
  data::Split split;
  Loss criterion;
  data::LoaderOptions loading;
  data::Loader train_loader;
  data::Loader validation_loader;
  std::shared_ptr<nn::ImageClassifier> model;
  std::unique_ptr<Optimizer> optimizer;
  amp::GradScaler scaler;
  Schedule schedule;
  std::int64_t total_steps = 0;
  std::int64_t steps_done = 0;
  int epochs_done = 0;
};

Trainer::Trainer(const TrainConfig& config, const data::ImageSet& set)
    : state_(std::make_unique<State>(config, set)) {}
Trainer::~Trainer() = default;

std::optional<double> Trainer::warm_up() {
  State& s = *state_;
  if (s.config.warmup_steps == 0) return std::nullopt;
  std::vector<torch::Tensor> live = s.model->parameters();
  for (const auto& buffer : s.model->buffers()) live.push_back(buffer);
  std::vector<torch::Tensor> saved;
  for (const auto& tensor : live) saved.push_back(tensor.detach().clone());

  std::optional<double> first_step_s;
  s.model->train();
  for (int done = 0; done < s.config.warmup_steps;) {
    s.train_loader.start_epoch(0);
    while (const auto batch = done < s.config.warmup_steps ? s.train_loader.next() : std::nullopt) {
      throw_if_interrupted();
      static_cast<void>(s.step(*batch));
      if (!first_step_s) {
        device::synchronize(s.device);
        first_step_s = seconds_since_process_start();
      }
      ++done;
    }
  }
  device::synchronize(s.device);

  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live.size(); ++i) live[i].copy_(saved[i]);
  s.start_afresh();
  return first_step_s;
}

EpochResult Trainer::train_epoch(const ProgressFunction& progress) {
  State& s = *state_;
  EpochResult result{.epoch = s.epochs_done + 1};
  s.model->train();
  auto loss_sum = torch::zeros({}, torch::dtype(torch::kFloat64).device(s.device));
  auto right = torch::zeros({}, torch::dtype(torch::kInt64).device(s.device));
  const std::int64_t skipped_before = s.scaler.skipped_steps();
  const double waited_before = s.train_loader.wait_seconds();
  const std::int64_t epoch_steps =
      std::min(s.train_loader.batches_per_epoch(), s.total_steps - s.steps_done);
  double images_per_s = 0;

  device::synchronize(s.device);
  const Stopwatch whole;
  Stopwatch window;
  std::int64_t window_steps = 0;
  s.train_loader.start_epoch(s.epochs_done);
  while (result.steps < epoch_steps) {
    if (interrupt_requested()) {
      result.complete = false;
      break;
    }
    Stopwatch step_and_data;
    const auto batch = s.train_loader.next();
    if (!batch) break;
    if (window_steps == 0 || s.device.is_cpu()) window.restart();
    result.lr = s.schedule.lr(s.steps_done);
    s.optimizer->set_lr(result.lr);
    const StepResult step = s.step(*batch);
    ++result.steps;
    ++s.steps_done;
    result.images += batch->labels.size(0);
    loss_sum += step.loss;
    right += (predicted_class(s.criterion.task, step.logits) == batch->labels).sum();

    ++window_steps;
    const bool edge =
        s.device.is_cpu() || window_steps == cuda_window_steps || result.steps == epoch_steps;
    if (edge) {
      device::synchronize(s.device);
      result.step_s.push_back(window.seconds() / static_cast<double>(window_steps));
      window_steps = 0;
      if (!std::isfinite(loss_sum.item<double>())) {
        throw Diverged(fmt::format("the loss is not finite at step {}", s.steps_done));
      }
    }
    if (progress) {
      const double rate = static_cast<double>(batch->labels.size(0)) / step_and_data.seconds();
      images_per_s =
          images_per_s == 0 ? rate : images_per_s + rate_smoothing * (rate - images_per_s);
      std::string detail;
      if (edge)
        detail =
            fmt::format("loss {:.4f}", loss_sum.item<double>() / static_cast<double>(result.steps));
      progress({.label = fmt::format("epoch {}/{}", result.epoch, s.config.epochs),
                .done = result.images,
                .total = epoch_steps * s.config.batch_size,
                .units_per_s = images_per_s,
                .unit = "images",
                .detail = detail});
    }
  }
  device::synchronize(s.device);
  result.time_s = whole.seconds();
  ++s.epochs_done;

  result.data_wait_s = s.train_loader.wait_seconds() - waited_before;
  result.train_loss =
      loss_sum.item<double>() / static_cast<double>(std::max<std::int64_t>(1, result.steps));
  result.train_accuracy = static_cast<double>(right.item<std::int64_t>()) /
                          static_cast<double>(std::max<std::int64_t>(1, result.images));
  if (s.scaler.is_enabled()) {
    result.skipped_steps = s.scaler.skipped_steps() - skipped_before;
    result.loss_scale = s.scaler.get_scale();
    if (*result.loss_scale == 0) {
      throw Diverged(fmt::format("the loss scale fell to 0 by step {}", s.steps_done));
    }
  }
  return result;
}

bool Trainer::finished() const { return state_->steps_done >= state_->total_steps; }

ValidationResult Trainer::validate(const ProgressFunction& progress) {
  State& s = *state_;
  const torch::InferenceMode inference;
  s.model->eval();
  ValidationResult result;
  double loss_sum = 0;
  std::vector<int> predicted;
  std::vector<int> labels;
  std::vector<double> scores;
  Stopwatch clock;
  s.validation_loader.start_epoch(0);
  while (const auto batch = s.validation_loader.next()) {
    throw_if_interrupted();
    const torch::Tensor logits = forward(*s.model, batch->images, s.config.precision);
    const auto count = batch->labels.size(0);
    loss_sum += s.criterion(logits, batch->labels).item<double>() * static_cast<double>(count);
    torch::Tensor score = probabilities(s.criterion.task, logits);
    if (s.criterion.task == Task::multiclass)
      score = score.gather(1, batch->labels.unsqueeze(1)).squeeze(1);
    score = score.to(torch::kCPU, torch::kFloat64).contiguous();
    const torch::Tensor chosen =
        predicted_class(s.criterion.task, logits).to(torch::kCPU, torch::kInt64).contiguous();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = batch->indices[static_cast<std::size_t>(i)];
      const Prediction prediction{
          .index = index,
          .score = score.const_data_ptr<double>()[i],
          .predicted = static_cast<int>(chosen.const_data_ptr<std::int64_t>()[i])};
      scores.push_back(prediction.score);
      predicted.push_back(prediction.predicted);
      labels.push_back(s.set.samples[static_cast<std::size_t>(index)].label);
      result.predictions.push_back(prediction);
    }
    if (progress) {
      const auto done = static_cast<std::int64_t>(result.predictions.size());
      progress({.label = "validation",
                .done = done,
                .total = static_cast<std::int64_t>(s.split.validation.size()),
                .units_per_s = static_cast<double>(done) / clock.seconds(),
                .unit = "images",
                .detail = {}});
    }
  }
  result.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, labels.size()));
  result.accuracy = accuracy(predicted, labels);
  if (s.criterion.task == Task::binary) {
    if (const double area = auc(scores, labels); std::isfinite(area)) result.auc = area;
    if (const double pf1 = probabilistic_f1(scores, labels); std::isfinite(pf1)) result.pf1 = pf1;
  }
  return result;
}

const data::Split& Trainer::split() const { return state_->split; }
std::int64_t Trainer::parameters() const { return nn::count_parameters(*state_->model); }
std::string Trainer::fp16_convolution() const {
  return state_->fp16_convolution ? state_->fp16_convolution->support().label : "";
}

}  // namespace mpbench::train
