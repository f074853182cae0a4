#include "mpbench/nn/efficientnet_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {

const std::vector<EfficientNetVariant>& efficientnet_variants() {
  static const std::vector<EfficientNetVariant> variants{
      {"efficientnet-b0", 1.0, 1.0, 224, 0.2, 1e-5, 0.1},
      {"efficientnet-b1", 1.0, 1.1, 240, 0.2, 1e-5, 0.1},
      {"efficientnet-b2", 1.1, 1.2, 260, 0.3, 1e-5, 0.1},
      {"efficientnet-b3", 1.2, 1.4, 300, 0.3, 1e-5, 0.1},
      {"efficientnet-b4", 1.4, 1.8, 380, 0.4, 1e-5, 0.1},
      {"efficientnet-b5", 1.6, 2.2, 456, 0.4, 1e-3, 0.01},
      {"efficientnet-b6", 1.8, 2.6, 528, 0.5, 1e-3, 0.01},
      {"efficientnet-b7", 2.0, 3.1, 600, 0.5, 1e-3, 0.01},
  };
  return variants;
}

const EfficientNetVariant* find_efficientnet(std::string_view name) {
  const auto& variants = efficientnet_variants();
  const auto found =
      std::find_if(variants.begin(), variants.end(),
                   [&](const EfficientNetVariant& variant) { return variant.name == name; });
  return found == variants.end() ? nullptr : &*found;
}

std::string_view to_string(EfficientNetOrigin origin) {
  switch (origin) {
    case EfficientNetOrigin::torchvision:
      return "torchvision";
    case EfficientNetOrigin::timm:
      return "timm";
    case EfficientNetOrigin::timm_tf:
      return "timm-tf";
  }
  return "";
}

EfficientNetOrigin parse_efficientnet_origin(std::string_view text) {
  for (const auto origin :
       {EfficientNetOrigin::torchvision, EfficientNetOrigin::timm, EfficientNetOrigin::timm_tf}) {
    if (text == to_string(origin)) return origin;
  }
  throw UsageError(fmt::format("unknown origin '{}': choose torchvision, timm, timm-tf", text));
}

Activation parse_activation(std::string_view text) {
  if (text == "silu") return Activation::silu;
  if (text == "relu6") return Activation::relu6;
  throw UsageError(fmt::format("unknown activation '{}': choose silu, relu6", text));
}

SqueezeExciteForm parse_squeeze_excite(std::string_view text) {
  if (text == "transformed") return SqueezeExciteForm::transformed;
  if (text == "textbook") return SqueezeExciteForm::textbook;
  throw UsageError(fmt::format("unknown squeeze-excite '{}': choose transformed, textbook", text));
}

}  // namespace mpbench::nn
