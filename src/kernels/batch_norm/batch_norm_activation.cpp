#include "mpbench/kernels/batch_norm_activation.hpp"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <cmath>
#include <optional>
#include <vector>

#include "../dense_image.hpp"
#include "../saved_kernels.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

NormShape norm_shape(const at::Tensor& input) {
  return {input.numel() / input.size(1), input.size(1)};
}

bool is_float(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_cpu() && tensor.scalar_type() == at::kFloat &&
         tensor.is_contiguous();
}

NormCoefficients coefficients_of(const at::Tensor& mean, const at::Tensor& scale,
                                 const at::Tensor& bias) {
  return {mean.const_data_ptr<float>(), scale.const_data_ptr<float>(),
          bias.const_data_ptr<float>()};
}

/// running = (1 - momentum) * running + momentum * batch, the variance unbiased.
void move_running(const at::Tensor& running_mean, const at::Tensor& running_var,
                  const std::vector<double>& mean, const std::vector<double>& variance,
                  std::int64_t rows, double momentum) {
  auto* const means = running_mean.mutable_data_ptr<float>();
  auto* const variances = running_var.mutable_data_ptr<float>();
  const double unbiased = static_cast<double>(rows) / static_cast<double>(rows - 1);
  for (std::size_t c = 0; c < mean.size(); ++c) {
    means[c] = static_cast<float>(momentum * mean[c] + (1 - momentum) * means[c]);
    variances[c] =
        static_cast<float>(momentum * variance[c] * unbiased + (1 - momentum) * variances[c]);
  }
}

class FusedBatchNorm : public torch::autograd::Function<FusedBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const std::optional<at::Tensor>& running_mean,
                            const std::optional<at::Tensor>& running_var, double momentum,
                            double epsilon, std::int64_t activation) {
    RECORD_FUNCTION("mpbench::batch_norm_activation", c10::ArrayRef<const c10::IValue>({input}));
    const NormShape shape = norm_shape(input);
    const KernelTable& kernels = *active_kernels();
    std::vector<double> mean(static_cast<std::size_t>(shape.channels));
    std::vector<double> variance(mean.size());
    at::Tensor output = at::empty_like(input, at::MemoryFormat::ChannelsLast);
    const at::Tensor means = at::empty_like(weight);
    const at::Tensor inverse_std = at::empty_like(weight);
    const at::Tensor scales = at::empty_like(weight);
    with_element_type(input.scalar_type(), [&](auto type) {
      using T = decltype(type);
      const BatchNormKernels<T>& run = kernels.batch_norm.of<T>();
      const T* const x = input.const_data_ptr<T>();
      run.moments(shape, x, mean.data(), variance.data());
      for (std::size_t c = 0; c < mean.size(); ++c) {
        const double inverse = 1 / std::sqrt(variance[c] + epsilon);
        means.mutable_data_ptr<float>()[c] = static_cast<float>(mean[c]);
        inverse_std.mutable_data_ptr<float>()[c] = static_cast<float>(inverse);
        scales.mutable_data_ptr<float>()[c] =
            static_cast<float>(inverse * weight.const_data_ptr<float>()[c]);
      }
      run.normalize(shape, coefficients_of(means, scales, bias),
                    static_cast<Activation>(activation), x, output.mutable_data_ptr<T>());
    });
    if (running_mean) {
      move_running(*running_mean, *running_var, mean, variance, shape.rows, momentum);
    }
    context->save_for_backward({input, bias, means, inverse_std, scales});
    context->saved_data["activation"] = activation;
    save_kernels(*context, kernels);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& input = saved[0];
    RECORD_FUNCTION("mpbench::batch_norm_activation_backward",
                    c10::ArrayRef<const c10::IValue>({gradients[0], input}));
    const at::Tensor &bias = saved[1], &means = saved[2], &inverse_std = saved[3],
                     &scales = saved[4];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const KernelTable& kernels = saved_kernels(*context);
    const NormShape shape = norm_shape(input);
    const auto channels = static_cast<std::size_t>(shape.channels);
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor input_gradient;
    at::Tensor weight_gradient = at::empty_like(means);
    at::Tensor bias_gradient = at::empty_like(means);
    with_element_type(input.scalar_type(), [&](auto type) {
      using T = decltype(type);
      const BatchNormKernels<T>& run = kernels.batch_norm.of<T>();
      const NormCoefficients coefficients = coefficients_of(means, scales, bias);
      const T* const x = input.const_data_ptr<T>();
      const T* const dy = gradient.const_data_ptr<T>();
      std::vector<double> sum_dz(channels);
      std::vector<double> sum_dz_x(channels);
      run.gradient_sums(shape, coefficients, activation, x, dy, sum_dz.data(), sum_dz_x.data());
      // With n rows and xhat = (x - mean) * inverse:
      // dx = weight * inverse * (dz - sum(dz) / n - xhat * sum(dz * xhat) / n)
      const auto rows = static_cast<double>(shape.rows);
      std::vector<float> slope(channels);
      std::vector<float> offset(channels);
      for (std::size_t c = 0; c < channels; ++c) {
        const double inverse = inverse_std.const_data_ptr<float>()[c];
        const double scale = scales.const_data_ptr<float>()[c];
        slope[c] = static_cast<float>(-scale * inverse * inverse * sum_dz_x[c] / rows);
        offset[c] = static_cast<float>(-scale * sum_dz[c] / rows);
        weight_gradient.mutable_data_ptr<float>()[c] = static_cast<float>(sum_dz_x[c] * inverse);
        bias_gradient.mutable_data_ptr<float>()[c] = static_cast<float>(sum_dz[c]);
      }
      if (!context->needs_input_grad(0)) return;
      input_gradient = at::empty_like(input, at::MemoryFormat::ChannelsLast);
      run.gradient(shape, coefficients, activation, slope.data(), offset.data(), x, dy,
                   input_gradient.mutable_data_ptr<T>());
    });
    return {input_gradient, weight_gradient, bias_gradient, {}, {}, {}, {}, {}};
  }
};

}  // namespace

bool fuses_batch_norm(const torch::nn::BatchNorm2dImpl& norm, const at::Tensor& input) {
  return active_options().norm_and_pooling && active_kernels() != nullptr && norm.is_training() &&
         is_dense_image(input) && has_element_type(input.scalar_type()) &&
         input.numel() > input.size(1) && is_float(norm.weight) && is_float(norm.bias) &&
         norm.weight.numel() == input.size(1) &&
         (!norm.options.track_running_stats() ||
          (is_float(norm.running_mean) && is_float(norm.running_var)));
}

at::Tensor batch_norm_activation(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& input,
                                 Activation activation) {
  const bool tracks = norm.options.track_running_stats();
  double momentum = norm.options.momentum().value_or(0.0);
  if (tracks) {
    norm.num_batches_tracked += 1;
    // Without a momentum torch's running statistics are the means over all batches.
    if (!norm.options.momentum()) momentum = 1.0 / norm.num_batches_tracked.item<double>();
  }
  return FusedBatchNorm::apply(input, norm.weight, norm.bias,
                               tracks ? std::optional(norm.running_mean) : std::nullopt,
                               tracks ? std::optional(norm.running_var) : std::nullopt, momentum,
                               norm.options.eps(), static_cast<std::int64_t>(activation));
}

}  // namespace mpbench::kernels
