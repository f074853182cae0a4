#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/nn/model.hpp"
#include "mpbench/nn/state_dict.hpp"

namespace mpbench::nn {

/// What was done to a file's names.
struct NameChanges {
  bool from_timm = false;
  std::vector<std::string> notes;
};

/// Gives a file's tensors the names that `model` has for them, and skips what is not the
/// network's: finds the prefix under which its names are ("net.", "model.backbone."; of several,
/// the averaged weights, "ema_model."), translates timm's names, takes a single linear layer for
/// the head wherever it is in it ("fc.1" for "fc"), and drops the tensors of losses and metrics
/// beside the network. Throws InputError where several prefixes fit.
NameChanges fit_names(StateDict& state, const ImageClassifier& model,
                      const std::filesystem::path& path);

}  // namespace mpbench::nn
