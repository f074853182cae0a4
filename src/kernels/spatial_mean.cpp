#include "mpbench/kernels/spatial_mean.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "dense_image.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class SpatialMean : public torch::autograd::Function<SpatialMean> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    context->saved_data["sizes"] = input.sizes().vec();
    // On CUDA adaptive_avg_pool2d is this mean and a copy.
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
  const bool on_cuda = input.is_cuda() && input.dim() == 4 && input.numel() > 0 &&
                       input.is_contiguous(at::MemoryFormat::ChannelsLast);
  const bool on_cpu = active_options().fused_norm && is_dense_image(input);
  return on_cuda || on_cpu ? SpatialMean::apply(input) : torch::adaptive_avg_pool2d(input, {1, 1});
}

}  // namespace mpbench::kernels
