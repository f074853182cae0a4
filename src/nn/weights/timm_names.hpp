#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mpbench::nn {

/// The name that torchvision's EfficientNet has for a tensor of timm's ("blocks.1.0.conv_pw.weight"
/// is "features.2.0.block.0.0.weight"); nothing for a name that timm's EfficientNets do not have.
/// timm's ResNets have torchvision's names.
/// Sources: timm 1.0 `timm/models/efficientnet.py`, `_efficientnet_blocks.py`; torchvision
/// `models/efficientnet.py`.
std::optional<std::string> torchvision_efficientnet_name(std::string_view timm_name);

}  // namespace mpbench::nn
