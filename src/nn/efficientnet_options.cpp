#include "mpbench/nn/efficientnet_options.hpp"

#include <algorithm>

#include "mpbench/nn/model_options.hpp"

namespace mpbench::nn {

const std::vector<EfficientNetVariant>& efficientnet_variants() {
  static const std::vector<EfficientNetVariant> variants{
      {enum_name(Network::efficientnet_b0), 1.0, 1.0, 224, 0.2, 1e-5, 0.1},
      {enum_name(Network::efficientnet_b1), 1.0, 1.1, 240, 0.2, 1e-5, 0.1},
      {enum_name(Network::efficientnet_b2), 1.1, 1.2, 260, 0.3, 1e-5, 0.1},
      {enum_name(Network::efficientnet_b3), 1.2, 1.4, 300, 0.3, 1e-5, 0.1},
      {enum_name(Network::efficientnet_b4), 1.4, 1.8, 380, 0.4, 1e-5, 0.1},
      {enum_name(Network::efficientnet_b5), 1.6, 2.2, 456, 0.4, 1e-3, 0.01},
      {enum_name(Network::efficientnet_b6), 1.8, 2.6, 528, 0.5, 1e-3, 0.01},
      {enum_name(Network::efficientnet_b7), 2.0, 3.1, 600, 0.5, 1e-3, 0.01},
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

}  // namespace mpbench::nn
