#pragma once

#include <c10/core/Device.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "mpbench/core/precision.hpp"
#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/kernels/emulation.hpp"
#include "mpbench/predict/loaded_model.hpp"

namespace mpbench::predict {

/// How a network is asked.
struct PredictOptions {
  Precision precision = Precision::fp32;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  int batch_size = 32;
  int workers = 1;  ///< threads that fill batches; 0: the caller's own
  bool channels_last = true;
  bool deterministic = false;
  kernels::DepthwiseBackend depthwise = kernels::DepthwiseBackend::automatic;  ///< on the CPU
  kernels::Emulation emulation = kernels::Emulation::automatic;                ///< on the CPU
};

/// What a network says of some images.
struct Predictions {
  std::vector<std::int64_t> indices;  ///< [N] places in the ImageDataset
  torch::Tensor probabilities;        ///< [N, classes] float64 on the CPU; a row's sum is 1
  std::vector<double> logits;         ///< [N] log-odds of the positive class; two classes only
  std::vector<int> predicted;         ///< [N] classes
  double time_s = 0;                  ///< wall clock, from the first batch to the last

  double at(std::int64_t row, std::int64_t column) const {
    return probabilities.const_data_ptr<double>()[row * probabilities.size(1) + column];
  }
};

/// Asks the network about the given images, in their order, as a training run judges its validation
/// images: in the same batches and with the same options the values are the same.
///
/// The network's normalisation must be known and its model be of the images' channels; the model
/// stays on the device. Throws Error for a probability that is not a number, train::OutOfMemory,
/// Interrupted.
Predictions predict(LoadedModel& network, const data::ImageDataset& set,
                    std::vector<std::int64_t> indices, const PredictOptions& options,
                    const ProgressFunction& progress);

}  // namespace mpbench::predict
