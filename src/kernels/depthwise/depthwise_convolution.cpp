#include "depthwise_convolution.hpp"

#include <torch/types.h>

#include "../dense_image.hpp"
#include "../element_type.hpp"

namespace mpbench::kernels {
namespace {

at::Tensor dense_float(const at::Tensor& tensor) {
  return tensor.detach().to(at::kFloat).contiguous();
}

}  // namespace

bool is_depthwise(const at::Tensor& input, const at::Tensor& weight,
                  const ConvolutionArguments& arguments) {
  return input.dim() == 4 && weight.dim() == 4 && !arguments.transposed && input.is_cpu() &&
         weight.is_cpu() && arguments.groups > 1 && arguments.groups == input.size(1) &&
         arguments.groups == weight.size(0) && weight.size(1) == 1;
}

std::optional<DepthwiseShape> depthwise_shape(const at::Tensor& input, const at::Tensor& weight,
                                              const ConvolutionArguments& arguments) {
  if (!is_depthwise(input, weight, arguments) || !is_dense_image(input) ||
      weight.layout() != at::kStrided || !has_element_type(input.scalar_type()) ||
      weight.scalar_type() != input.scalar_type()) {
    return std::nullopt;
  }
  const auto value = [](at::IntArrayRef pair, std::size_t i) {
    return pair.size() == 1 ? pair[0] : pair[i];
  };
  const std::int64_t kernel = weight.size(2);
  const std::int64_t stride = value(arguments.stride, 0);
  if (weight.size(3) != kernel || (kernel != 3 && kernel != 5) ||
      value(arguments.stride, 1) != stride || (stride != 1 && stride != 2) ||
      value(arguments.dilation, 0) != 1 || value(arguments.dilation, 1) != 1) {
    return std::nullopt;
  }
  DepthwiseShape shape{};
  shape.batch = input.size(0);
  shape.channels = input.size(1);
  shape.in_height = input.size(2);
  shape.in_width = input.size(3);
  shape.kernel = kernel;
  shape.stride = stride;
  shape.padding_height = value(arguments.padding, 0);
  shape.padding_width = value(arguments.padding, 1);
  shape.out_height = (shape.in_height + 2 * shape.padding_height - kernel) / stride + 1;
  shape.out_width = (shape.in_width + 2 * shape.padding_width - kernel) / stride + 1;
  // The framework says what is wrong with these.
  if (shape.padding_height < 0 || shape.padding_width < 0 ||
      shape.in_height + 2 * shape.padding_height < kernel ||
      shape.in_width + 2 * shape.padding_width < kernel) {
    return std::nullopt;
  }
  return shape;
}

at::Tensor depthwise_convolution(const DepthwiseShape& shape, const KernelTable& kernels,
                                 const at::Tensor& input, const at::Tensor& weight,
                                 const at::Tensor& bias) {
  at::Tensor output = at::empty({shape.batch, shape.channels, shape.out_height, shape.out_width},
                                input.options().memory_format(at::MemoryFormat::ChannelsLast));
  const at::Tensor filters = dense_float(weight);
  const at::Tensor offsets = bias.defined() ? dense_float(bias) : at::Tensor();
  const float* const offset = offsets.defined() ? offsets.const_data_ptr<float>() : nullptr;
  with_element_type(input.scalar_type(), [&](auto type) {
    using T = decltype(type);
    kernels.depthwise.of<T>().forward(shape, input.const_data_ptr<T>(),
                                      filters.const_data_ptr<float>(), offset,
                                      output.mutable_data_ptr<T>());
  });
  return output;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> depthwise_convolution_backward(
    const DepthwiseShape& shape, const KernelTable& kernels, const at::Tensor& output_gradient,
    const at::Tensor& input, const at::Tensor& weight, std::array<bool, 3> wanted) {
  const at::Tensor gradient = output_gradient.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor data_gradient;
  at::Tensor weight_gradient;
  at::Tensor bias_gradient;
  with_element_type(input.scalar_type(), [&](auto type) {
    using T = decltype(type);
    const DepthwiseKernels<T>& run = kernels.depthwise.of<T>();
    const T* const from = gradient.const_data_ptr<T>();
    if (wanted[0]) {
      data_gradient = at::empty_like(input, at::MemoryFormat::ChannelsLast);
      const at::Tensor filters = dense_float(weight);
      run.data_gradient(shape, from, filters.const_data_ptr<float>(),
                        data_gradient.mutable_data_ptr<T>());
    }
    if (wanted[1]) {
      const at::Tensor sums = at::empty(weight.sizes(), weight.options().dtype(at::kFloat));
      run.weight_gradient(shape, from, input.const_data_ptr<T>(), sums.mutable_data_ptr<float>());
      weight_gradient = sums.to(weight.scalar_type());
    }
  });
  if (wanted[2]) {
    bias_gradient = gradient.sum({0, 2, 3}, false, at::kFloat).to(weight.scalar_type());
  }
  return {data_gradient, weight_gradient, bias_gradient};
}

}  // namespace mpbench::kernels
