#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/nn/model.hpp"
#include "mpbench/nn/state_dict.hpp"

namespace mpbench::nn {

struct WeightsOptions {
  /// A file whose head does not fit is refused; otherwise the head keeps the values it has.
  bool require_head = false;
};

/// What became of a file's tensors.
struct WeightsReport {
  std::filesystem::path path;
  std::int64_t loaded = 0;           ///< the model's tensors that now have the file's values
  std::string wrapper;               ///< StateDict::wrapper
  std::string wrapper_note;          ///< StateDict::wrapper_note
  std::string prefix;                ///< StateDict::prefix
  std::vector<std::string> skipped;  ///< StateDict::skipped
  bool names_from_timm = false;
  std::string origin = "torchvision";  ///< ModelOptions::origin, which the model now has
  std::vector<std::string> notes;      ///< what else was done to fit the file
  std::string head;                    ///< why the head was left out; empty when it was loaded
  std::string stem;           ///< how the first convolution was adapted; empty when it was not
  std::int64_t reshaped = 0;  ///< tensors whose shapes differed by trailing ones
  std::vector<std::string> converted;  ///< "40 tensors from float16 to float32"
  std::vector<std::string> warnings;   ///< where equal tensors do not make equal networks

  /// All but the warnings on one line, for the log: "resnet18.pth: 120 tensors loaded; head fc left
  /// out: ...".
  std::string line() const;
  /// Logs what makes the model differ from the one that the weights are from.
  void log_warnings() const;
};

/// Gives a model the weights in a .pth or .safetensors file (state_dict.hpp).
///
/// What may differ, and is then said: the head's number of classes (the head is left out), 3
/// channels in the file's first convolution and 1 in the model's (the weights are summed over the
/// channels, so that a grey image gives what it gave as three equal channels; timm does the same),
/// 1 in the file's and 3 in the model's (a third of the weights for each), floating-point dtypes,
/// trailing dimensions of 1, timm's names for EfficientNets (whose batch norm epsilon and padding
/// the model then takes, EfficientNetOrigin), names with a prefix, the head as the one layer of a
/// Sequential, two outputs in the file's head and one in the model's (their difference, which gives
/// the same probabilities), tensors of a loss beside the network's. Batch norms'
/// num_batches_tracked may be missing. Everything else that does not fit throws InputError naming
/// the tensors: missing and unexpected names, shapes, dtypes, values that are not finite.
///
/// All of it is checked before anything in the model is changed. Throws as read_state_dict, too.
WeightsReport load_weights(ImageClassifier& model, const std::filesystem::path& path,
                           const WeightsOptions& options = {});

/// The tensors of a model's network in a file, under the model's names. Throws as read_state_dict,
/// and where the file has several such networks.
StateDict read_network(const std::filesystem::path& path, const ImageClassifier& model);

}  // namespace mpbench::nn
