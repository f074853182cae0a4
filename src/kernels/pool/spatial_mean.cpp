#include "mpbench/kernels/spatial_mean.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "../dense_image.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class SpatialMean : public torch::autograd::Function<SpatialMean> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    context->saved_data["sizes"] = input.sizes().vec();
    // The pooling of one value is this mean and, in channels_last, another two kernels.
    return input.is_cuda() ? input.mean({2, 3}, /*keepdim=*/true)
                           : torch::adaptive_avg_pool2d(input, {1, 1});
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto pixels = static_cast<double>(sizes[2] * sizes[3]);
    return {(gradients[0] / pixels).expand(sizes)};
  }
};

}  // namespace

at::Tensor spatial_mean(const at::Tensor& input) {
  const bool ours = input.is_cuda() ? input.is_contiguous(at::MemoryFormat::ChannelsLast)
                                    : active_options().norm_and_pooling && is_dense_image(input);
  if (!ours || input.dim() != 4 || input.numel() == 0) {
    return torch::adaptive_avg_pool2d(input, {1, 1});
  }
  return SpatialMean::apply(input);
}

}  // namespace mpbench::kernels
