#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/core/precision.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/kernels/emulation.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/nn/weights.hpp"
#include "mpbench/train/checkpoint.hpp"

namespace mpbench::predict {

/// A network that has been trained, and what its images have to be like.
struct LoadedModel {
  std::shared_ptr<nn::ImageClassifier> model;  ///< float32
  nn::ModelOptions options;
  std::vector<std::string> classes;  ///< in the order of the outputs; empty: not known
  std::string dataset;               ///< what it was trained on; empty: not known
  int height = 0;                    ///< of the images, in pixels; 0: not known
  int width = 0;
  std::optional<data::Normalization> normalization;  ///< nothing: not known
  // How the run that trained it judged its validation images.
  Precision precision = Precision::fp32;
  int batch_size = 32;
  bool channels_last = true;
  bool deterministic = false;
  kernels::DepthwiseBackend depthwise = kernels::DepthwiseBackend::automatic;
  kernels::Emulation emulation = kernels::Emulation::automatic;
  /// For the log: "resnet18 of 3 classes, averaged weights, after 5 epochs (120 steps)".
  std::string description;

  /// How many classes its outputs stand for: one output is the logit of the second of two.
  int class_count() const { return options.outputs == 1 ? 2 : options.outputs; }
};

/// The network in a checkpoint. `averaged` takes the moving average of the weights where the run
/// had one: that is what its validation judged. `path` is named in errors: InputError for what is
/// missing, makes no sense or does not fit the network.
LoadedModel load_model(const train::Checkpoint& checkpoint, const std::filesystem::path& path,
                       bool averaged = true);

/// What a weights file itself tells.
struct WeightsShape {
  int outputs = 0;   ///< rows of the head's weight
  int channels = 0;  ///< of the images that its first convolution takes
};

/// Throws InputError where the file has no such layers, so that it is not of this model.
WeightsShape read_weights_shape(const std::filesystem::path& path, const std::string& model);

/// A network with the weights in a .pth or .safetensors file. Its head must have as many outputs as
/// `options` say; a first convolution of 3 channels is adapted to 1 and the other way round, as
/// nn::load_weights does. Throws as that.
LoadedModel load_weights_file(const std::filesystem::path& path, const nn::ModelOptions& options);

/// The classes' names, from the network or else from the images' labels; "0", "1", ... where
/// neither knows. `data` is where the images are from. Throws InputError naming it when the images
/// have another number of channels than the network takes, or are labelled with classes that the
/// network does not have, or not all of them.
std::vector<std::string> agree_on_classes(const LoadedModel& network, const data::ImageDataset& set,
                                          const std::filesystem::path& data);

}  // namespace mpbench::predict
