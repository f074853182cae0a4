#include "mpbench/predict/predictor.hpp"

#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>
#include <torch/types.h>

#include <optional>

#include "mpbench/core/error.hpp"
#include "mpbench/core/malloc_tuning.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/device/determinism.hpp"
#include "mpbench/device/float32_precision.hpp"
#include "mpbench/device/out_of_memory.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "mpbench/train/errors.hpp"
#include "mpbench/train/evaluation.hpp"
#include "mpbench/train/loss.hpp"
#include "mpbench/train/setup.hpp"

namespace mpbench::predict {
namespace {

/// [N, classes]: two columns where the network has one output. Both are computed from the logit: 1
/// less a probability that rounds to 1 would be 0.
torch::Tensor all_classes(train::Task task, const torch::Tensor& logits) {
  const torch::Tensor values = probabilities(task, logits);
  return task == train::Task::binary ? torch::stack({probabilities(task, -logits), values}, 1)
                                     : values;
}

/// The positive class's log-odds, float64 [N] on the CPU; undefined with more than two classes.
torch::Tensor log_odds_of_positive(const torch::Tensor& logits) {
  const torch::Tensor exact = logits.to(torch::kCPU, torch::kFloat64);
  if (exact.size(1) == 1) return exact.squeeze(1).contiguous();
  return exact.size(1) == 2 ? exact.select(1, 1) - exact.select(1, 0) : torch::Tensor();
}

}  // namespace

Predictions predict(LoadedModel& network, const data::ImageDataset& set,
                    std::vector<std::int64_t> indices, const PredictOptions& options,
                    const ProgressFunction& progress) {
  if (!network.normalization) throw Error("predict: the network's normalisation is not known");
  const c10::OptionalDeviceGuard on_device(options.device.is_cuda() ? std::optional(options.device)
                                                                    : std::nullopt);
  const device::Float32PrecisionGuard float32(options.precision == Precision::tf32);
  const device::DeterminismGuard determinism(options.deterministic, /*benchmark=*/false);
  std::optional<kernels::CpuKernelsGuard> cpu_kernels;
  if (options.device.is_cpu()) {
    tune_malloc();
    cpu_kernels.emplace(
        train::cpu_kernel_options(options.depthwise, options.emulation, options.precision));
  }
  network.model->to(options.device);
  if (options.channels_last) nn::to_channels_last(*network.model);
  data::Loader loader(set, std::move(indices),
                      {.batch_size = options.batch_size,
                       .channels_last = options.channels_last,
                       .workers = options.workers,
                       .device = options.device,
                       .normalization = *network.normalization});

  const train::Task task =
      network.options.outputs == 1 ? train::Task::binary : train::Task::multiclass;
  Predictions predictions;
  std::vector<torch::Tensor> parts;
  const auto use = [&](const data::Batch& batch, const torch::Tensor& logits) {
    if (const auto image = train::first_image_not_finite(logits, batch, set)) {
      throw Error(fmt::format(
          "the network's output for image {} is not a finite number: try --precision fp32",
          *image));
    }
    parts.push_back(all_classes(task, logits).to(torch::kCPU));
    const torch::Tensor positive = log_odds_of_positive(logits);
    const torch::Tensor chosen = train::predicted_class(task, logits).to(torch::kCPU).contiguous();
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      predictions.indices.push_back(batch.indices[i]);
      predictions.predicted.push_back(static_cast<int>(chosen.const_data_ptr<std::int64_t>()[i]));
      if (positive.defined()) predictions.logits.push_back(positive.const_data_ptr<double>()[i]);
    }
  };
  const Stopwatch clock;
  try {
    train::for_each_logits(*network.model, loader, options.precision, loader.images_per_epoch(),
                           "predict", progress, use);
  } catch (const std::exception& error) {
    if (!device::is_out_of_memory(error, options.device)) throw;
    throw train::OutOfMemory(
        fmt::format("memory ran out in a batch of {} images: try a smaller "
                    "--batch-size",
                    options.batch_size));
  }
  predictions.probabilities = torch::cat(parts).contiguous();
  predictions.time_s = clock.seconds();
  return predictions;
}

}  // namespace mpbench::predict
