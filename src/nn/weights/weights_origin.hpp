#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/nn/efficientnet_options.hpp"

namespace mpbench::nn {

/// The texts in which a weights file may name its architecture, the surest first: what the file
/// says itself (`architecture`, may be empty), "architecture" in a config.json beside it, as
/// Hugging Face has it, the file's own name, and the names of the three folders above it. The last
/// two as the path is given, and again where its links lead: in Hugging Face's cache the file is
/// models--timm--tf_efficientnet_b0.in1k/snapshots/REVISION/model.safetensors, a link to
/// models--timm--tf_efficientnet_b0.in1k/blobs/DIGEST.
std::vector<std::string> architecture_hints(const std::filesystem::path& path,
                                            const std::string& architecture);

/// Whose EfficientNet a file with timm's names is.
struct TimmOrigin {
  EfficientNetOrigin origin = EfficientNetOrigin::timm;
  std::string hint;  ///< what told it; empty: nothing did, and it is assumed
};
TimmOrigin find_timm_origin(const std::vector<std::string>& hints);

/// A network of timm's whose tensors fit one of ours, and whose function is another.
struct Lookalike {
  std::string hint;        ///< what told it: "resnetblur50.bt_in1k"
  std::string difference;  ///< "blurred before subsampling"
};
std::optional<Lookalike> find_lookalike(const std::vector<std::string>& hints);

}  // namespace mpbench::nn
