#include "convolution_timing.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "mpbench/core/first_line.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/step_timer.hpp"

namespace mpbench::profile {
namespace {

/// The rest of the convolutions seldom take a tenth of what these take.
constexpr std::size_t most_convolutions = 8;
/// Calls of which the median counts, after one that does not.
constexpr int timed_calls = 5;
/// Channels that kernels for 16-bit types take at a time: 16 in oneDNN's AMX and AVX-512 kernels,
/// 8 in cuDNN's on Tensor Cores; 8 in AVX2's of float32.
constexpr std::int64_t channels_at_a_time_16_bit = 16;
constexpr std::int64_t channels_at_a_time = 8;

torch::ScalarType scalar_type(const std::string& dtype) {
  if (dtype == dtype_name("c10::BFloat16")) return torch::kBFloat16;
  if (dtype == dtype_name("c10::Half")) return torch::kHalf;
  return torch::kFloat32;
}

/// One convolution with tensors to run it on.
struct Variant {
  Shape input;
  Shape weight;
  ConvolutionSettings settings;
  torch::ScalarType dtype = torch::kFloat32;
  bool channels_last = true;
};

struct Times {
  double forward_ms = 0;
  double data_gradient_ms = 0;
  double weight_gradient_ms = 0;
  double all_ms() const { return forward_ms + data_gradient_ms + weight_gradient_ms; }
};

double median_ms(c10::Device device, const std::function<void()>& call) {
  call();
  std::vector<double> ms;
  for (int i = 0; i < timed_calls; ++i) {
    device::synchronize(device);
    const Stopwatch clock;
    call();
    device::synchronize(device);
    ms.push_back(1e3 * clock.seconds());
  }
  std::nth_element(ms.begin(), ms.begin() + timed_calls / 2, ms.end());
  return ms[timed_calls / 2];
}

/// Random values of one memory format.
torch::Tensor random_tensor(const Shape& shape, const Variant& variant, c10::Device device) {
  const auto format = variant.channels_last && shape.size() == 4 ? torch::MemoryFormat::ChannelsLast
                                                                 : torch::MemoryFormat::Contiguous;
  return torch::rand(shape, torch::TensorOptions(device)).to(variant.dtype).contiguous(format);
}

Times time_variant(const Variant& variant, c10::Device device) {
  const torch::NoGradGuard no_grad;
  const ConvolutionSettings& how = variant.settings;
  const torch::Tensor input = random_tensor(variant.input, variant, device);
  const torch::Tensor weight = random_tensor(variant.weight, variant, device);
  const std::vector<std::int64_t> no_output_padding(how.stride.size(), 0);
  const auto forward = [&] {
    return at::convolution(input, weight, {}, how.stride, how.padding, how.dilation, how.transposed,
                           no_output_padding, how.groups);
  };
  const torch::Tensor gradient = torch::rand_like(forward());
  const auto backward = [&](bool data, bool weights) {
    return at::convolution_backward(gradient, input, weight, std::nullopt, how.stride, how.padding,
                                    how.dilation, how.transposed, no_output_padding, how.groups,
                                    {data, weights, false});
  };
  return {
      .forward_ms = median_ms(device, [&] { static_cast<void>(forward()); }),
      .data_gradient_ms = median_ms(device, [&] { static_cast<void>(backward(true, false)); }),
      .weight_gradient_ms = median_ms(device, [&] { static_cast<void>(backward(false, true)); })};
}

std::int64_t next_multiple(std::int64_t channels, std::int64_t of) {
  return (channels + of - 1) / of * of;
}

/// The same with channels that are multiples of what kernels take at a time. One channel, or three,
/// is what images have: those stay.
Variant padded(const Variant& variant) {
  Variant wider = variant;
  if (variant.settings.groups != 1 || variant.settings.transposed) return wider;
  const std::int64_t of =
      variant.dtype == torch::kFloat32 ? channels_at_a_time : channels_at_a_time_16_bit;
  constexpr std::int64_t most_of_an_image = 4;
  if (variant.input[1] > most_of_an_image) {
    wider.input[1] = wider.weight[1] = next_multiple(variant.input[1], of);
  }
  wider.weight[0] = next_multiple(variant.weight[0], of);
  return wider;
}

std::string channels_text(const Variant& variant) {
  return fmt::format("{} to {}", variant.weight[1], variant.weight[0]);
}

ConvolutionRecord time_convolution(const Variant& variant, c10::Device device) {
  const Times times = time_variant(variant, device);
  ConvolutionRecord record{.forward_ms = times.forward_ms,
                           .data_gradient_ms = times.data_gradient_ms,
                           .weight_gradient_ms = times.weight_gradient_ms,
                           .float32_ms = times.all_ms()};
  if (variant.dtype != torch::kFloat32) {
    Variant full = variant;
    full.dtype = torch::kFloat32;
    record.float32_ms = time_variant(full, device).all_ms();
  }
  Variant other = variant;
  other.channels_last = !variant.channels_last;
  record.other_format_ms = time_variant(other, device).all_ms();
  const Variant wider = padded(variant);
  if (wider.weight != variant.weight) {
    record.channels = channels_text(variant);
    record.padded_channels = channels_text(wider);
    record.padded_ms = time_variant(wider, device).all_ms();
    record.padded_work = static_cast<double>(wider.weight[0] * wider.weight[1]) /
                         static_cast<double>(variant.weight[0] * variant.weight[1]);
  }
  return record;
}

}  // namespace

std::vector<ConvolutionRecord> time_convolutions(
    const std::vector<OperatorTable::Convolution>& convolutions, std::int64_t steps,
    c10::Device device, bool channels_last, double budget_s) {
  std::vector<ConvolutionRecord> records;
  const Stopwatch clock;
  for (const OperatorTable::Convolution& each : convolutions) {
    if (records.size() == most_convolutions || clock.seconds() > budget_s) break;
    const ProfiledEvent& call = each.call;
    if (call.shapes.size() < 2 || call.dtypes.empty() || !call.convolution) continue;
    const std::string dtype = dtype_name(call.dtypes[0]);
    ConvolutionRecord record;
    try {
      record = time_convolution({.input = call.shapes[0],
                                 .weight = call.shapes[1],
                                 .settings = *call.convolution,
                                 .dtype = scalar_type(dtype),
                                 .channels_last = channels_last},
                                device);
    } catch (const c10::Error& error) {  // memory, most likely: it lies beside the model's own
      spdlog::warn("a convolution of {} cannot be run by itself: {}", shapes_text(call),
                   first_line(error.what_without_backtrace()));
      break;
    }
    record.shapes = shapes_text(call);
    record.dtype = dtype;
    record.calls = each.calls / static_cast<double>(std::max<std::int64_t>(1, steps));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace mpbench::profile
