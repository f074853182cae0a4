#include "mpbench/kernels/max_pool.hpp"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "../dense_image.hpp"
#include "../saved_kernels.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

PoolShape pool_shape(const at::Tensor& input) {
  return {.images = input.size(0),
          .height = input.size(2),
          .width = input.size(3),
          .channels = input.size(1)};
}

class MaxPool : public torch::autograd::Function<MaxPool> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    RECORD_FUNCTION("mpbench::max_pool_2x2", c10::ArrayRef<const c10::IValue>({input}));
    const PoolShape shape = pool_shape(input);
    const KernelTable& kernels = *active_kernels();
    at::Tensor output = at::empty({shape.images, shape.channels, shape.height / 2, shape.width / 2},
                                  input.options().memory_format(at::MemoryFormat::ChannelsLast));
    with_element_type(input.scalar_type(), [&](auto type) {
      using T = decltype(type);
      kernels.max_pool.of<T>().forward(shape, input.const_data_ptr<T>(),
                                       output.mutable_data_ptr<T>());
    });
    context->save_for_backward({input});
    save_kernels(*context, kernels);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor input = context->get_saved_variables()[0];
    RECORD_FUNCTION("mpbench::max_pool_2x2_backward",
                    c10::ArrayRef<const c10::IValue>({gradients[0], input}));
    const PoolShape shape = pool_shape(input);
    const KernelTable& kernels = saved_kernels(*context);
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor input_gradient = at::empty_like(input, at::MemoryFormat::ChannelsLast);
    // In no window.
    if (shape.height % 2 != 0) input_gradient.select(2, shape.height - 1).zero_();
    if (shape.width % 2 != 0) input_gradient.select(3, shape.width - 1).zero_();
    with_element_type(input.scalar_type(), [&](auto type) {
      using T = decltype(type);
      kernels.max_pool.of<T>().gradient(shape, input.const_data_ptr<T>(),
                                        gradient.const_data_ptr<T>(),
                                        input_gradient.mutable_data_ptr<T>());
    });
    return {input_gradient};
  }
};

}  // namespace

at::Tensor max_pool_2x2(const at::Tensor& input) {
  const bool ours = active_options().norm_and_pooling && active_kernels() != nullptr &&
                    is_dense_image(input) && has_element_type(input.scalar_type()) &&
                    input.size(2) >= 2 && input.size(3) >= 2;
  return ours ? MaxPool::apply(input) : torch::max_pool2d(input, /*kernel_size=*/2);
}

}  // namespace mpbench::kernels
