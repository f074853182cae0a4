#include "mpbench/train/setup.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <thread>

#include "mpbench/core/error.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/device/device.hpp"

namespace mpbench::train {
namespace {

std::vector<float> triple(float a, float b, float c, int channels) {
  if (channels == 3) return {a, b, c};
  return {(a + b + c) / 3};
}

torch::Device with_graphs(const TrainConfig& config, torch::Device device) {
  if (config.cuda_graph && !device.is_cuda()) {
    throw UsageError("--cuda-graph needs a CUDA device");
  }
  return device;
}

}  // namespace

data::Split make_split(const TrainConfig& config, const data::ImageDataset& set) {
  if (config.split.folds > 0) {
    if (config.split.file.empty() && set.given_split) {
      throw UsageError(fmt::format(
          "--folds: dataset {} has a split of its own: name a file of folds with --split",
          set.dataset));
    }
    auto folds =
        config.split.file.empty()
            ? data::grouped_stratified_folds(set.samples, config.split.folds, config.split.seed)
            : data::read_folds_csv(config.split.file, set.samples, config.split.folds,
                                   config.data.limit > 0);
    return std::move(folds[static_cast<std::size_t>(config.split.fold)]);
  }
  if (!config.split.file.empty())
    return data::read_split_csv(config.split.file, set.samples, config.data.limit > 0);
  if (set.given_split) {
    if (config.split.validation_fraction != TrainConfig{}.split.validation_fraction) {
      throw UsageError(fmt::format(
          "--validation-fraction {}: has no effect here: dataset {} has a split of its own",
          config.split.validation_fraction, set.dataset));
    }
    return *set.given_split;
  }
  return data::grouped_stratified_split(set.samples, config.split.validation_fraction,
                                        config.split.seed);
}

data::Normalization make_normalization(NormalizationKind kind, const data::ImageDataset& set,
                                       const data::Split& split) {
  if (kind == NormalizationKind::automatic && set.channels == 3) kind = NormalizationKind::imagenet;
  switch (kind) {
    case NormalizationKind::none:
      return {};
    case NormalizationKind::unit:
      return {.mean = {0.5F}, .stddev = {0.5F}};
    case NormalizationKind::imagenet:
      // torchvision's constants; their mean for grey images.
      return {.mean = triple(0.485F, 0.456F, 0.406F, set.channels),
              .stddev = triple(0.229F, 0.224F, 0.225F, set.channels)};
    case NormalizationKind::automatic:
      break;
  }
  return data::measure_normalization(set, split.train);
}

Loss make_loss(const TrainConfig& config, const data::ImageDataset& set, const data::Split& split) {
  Loss loss{config.loss};
  loss.task = task_of(static_cast<int>(set.classes.size()));
  if (config.focal_alpha >= 0) loss.focal_alpha = config.focal_alpha;
  require_classes(config, static_cast<int>(set.classes.size()));
  if (loss.task == Task::binary && config.balance != Balance::none) {
    const auto positives = std::count_if(
        split.train.begin(), split.train.end(),
        [&](std::int64_t i) { return set.samples[static_cast<std::size_t>(i)].label == 1; });
    const auto negatives = static_cast<std::ptrdiff_t>(split.train.size()) - positives;
    if (positives == 0 || (negatives == 0 && config.balance != Balance::automatic)) {
      throw UsageError(fmt::format(
          "--balance {}: the {} training images are all of class {}: with one class there is "
          "nothing to balance; choose other images, another --split or --split-seed, or --balance "
          "none",
          enum_name(config.balance), split.train.size(), set.classes[positives == 0 ? 0 : 1]));
    }
    if (config.balance == Balance::weight)
      loss.pos_weight = static_cast<double>(negatives) / static_cast<double>(positives);
  }
  validate(loss);
  return loss;
}

torch::Device choose_device(const TrainConfig& config) {
  return with_graphs(config, device::parse_device(config.device));
}

torch::Device find_device(const TrainConfig& config) {
  return with_graphs(config, device::find_device(config.device));
}

int workers_of(const TrainConfig& config, torch::Device device) {
  if (config.workers != TrainConfig::workers_by_device) return config.workers;
  constexpr unsigned most = 8;
  const unsigned half_of_the_cores = std::thread::hardware_concurrency() / 2;
  return device.is_cuda() ? static_cast<int>(std::clamp(half_of_the_cores, 1U, most)) : 1;
}

data::ImageDataset open_images(const TrainConfig& config, const ProgressFunction& progress) {
  data::DatasetOptions options = config.data;
  options.height = options.width = config.image_size;
  return data::open_dataset(options, progress);
}

kernels::CpuKernelOptions cpu_kernel_options(kernels::DepthwiseBackend depthwise,
                                             kernels::Emulation emulation, Precision precision) {
  kernels::CpuKernelOptions options{.depthwise = depthwise};
  options.norm_and_pooling = depthwise != kernels::DepthwiseBackend::framework;
  if (is_mixed(precision) && emulation == kernels::Emulation::automatic) {
    options.emulated = kernels::emulated_operations(precision);
  }
  return options;
}

data::LoaderOptions loader_options(const TrainConfig& config, torch::Device device,
                                   data::Normalization normalization) {
  return {.batch_size = config.batch_size,
          .channels_last = config.channels_last,
          .workers = workers_of(config, device),
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
  options.balance_positives = task == Task::binary && (config.balance == Balance::automatic ||
                                                       config.balance == Balance::positives);
  options.augment = config.augment;
  return options;
}

}  // namespace mpbench::train
