#include "mpbench/profile/machine_rates.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "mpbench/core/error.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/float32_precision.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/io/sha256.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::profile {
namespace {

namespace fs = std::filesystem;

constexpr double seconds_each = 0.4;
constexpr int fewest_calls = 3;

/// Seconds of the fastest call in a while.
double fastest_s(c10::Device device, const std::function<void()>& call) {
  call();
  device::synchronize(device);
  const Stopwatch all;
  double fastest = 0;
  for (int calls = 0; calls < fewest_calls || all.seconds() < seconds_each; ++calls) {
    const Stopwatch clock;
    call();
    device::synchronize(device);
    fastest = calls == 0 ? clock.seconds() : std::min(fastest, clock.seconds());
  }
  return fastest;
}

torch::ScalarType scalar_type(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return torch::kBFloat16;
    case Precision::fp16:
      return torch::kHalf;
    case Precision::fp32:
    case Precision::tf32:
      break;
  }
  return torch::kFloat32;
}

/// The rate of a square matrix product.
double product_gflop_per_s(c10::Device device, torch::ScalarType dtype) {
  const std::int64_t side = device.is_cuda() ? 8192 : 1024;
  const torch::Tensor a = torch::rand({side, side}, torch::TensorOptions(device)).to(dtype);
  const torch::Tensor b = torch::rand({side, side}, torch::TensorOptions(device)).to(dtype);
  const double seconds = fastest_s(device, [&] { static_cast<void>(torch::mm(a, b)); });
  return 2e-9 * std::pow(static_cast<double>(side), 3) / seconds;
}

/// The rate of a 3x3 convolution in channels_last, as ResNet has it in its third stage.
double convolution_gflop_per_s(c10::Device device, torch::ScalarType dtype) {
  const std::int64_t images = device.is_cuda() ? 256 : 16;
  constexpr std::int64_t channels = 128, side = 28, kernel = 3;
  const auto options = torch::TensorOptions(device);
  const auto format = torch::MemoryFormat::ChannelsLast;
  const torch::Tensor input =
      torch::rand({images, channels, side, side}, options).to(dtype).contiguous(format);
  const torch::Tensor weight =
      torch::rand({channels, channels, kernel, kernel}, options).to(dtype).contiguous(format);
  const double seconds = fastest_s(device, [&] {
    static_cast<void>(torch::conv2d(input, weight, {}, /*stride=*/1, /*padding=*/1));
  });
  const double products = static_cast<double>(images * side * side) *
                          static_cast<double>(channels * channels * kernel * kernel);
  return 2e-9 * products / seconds;
}

double copy_gb_per_s(c10::Device device) {
  const std::int64_t bytes = device.is_cuda() ? std::int64_t{2} << 30 : std::int64_t{256} << 20;
  const torch::Tensor from =
      torch::zeros({bytes}, torch::TensorOptions(device).dtype(torch::kUInt8));
  const torch::Tensor to = torch::zeros_like(from);
  return 2e-9 * static_cast<double>(bytes) / fastest_s(device, [&] { to.copy_(from); });
}

/// As a training in that precision computes.
MatrixRate measure(const RatesOptions& options, Precision precision) {
  const device::Float32PrecisionGuard float32(precision == Precision::tf32);
  std::optional<kernels::CpuKernelsGuard> kernels;
  if (options.device.is_cpu() && is_mixed(precision) &&
      options.emulation == kernels::Emulation::automatic) {
    kernels.emplace(kernels::CpuKernelOptions{.emulated = kernels::emulated_operations(precision)});
  }
  const torch::ScalarType dtype = scalar_type(precision);
  return {precision, std::max(product_gflop_per_s(options.device, dtype),
                              convolution_gflop_per_s(options.device, dtype))};
}

std::string description(const RatesOptions& options) {
  return fmt::format("{}; LibTorch {}; {} threads; emulation {}",
                     device::describe(options.device).name, device::versions().torch,
                     options.threads > 0 ? options.threads : at::get_num_threads(),
                     enum_name(options.emulation));
}

fs::path file_of(const std::string& described, const fs::path& folder) {
  constexpr std::size_t digits = 16;
  return folder / (sha256_hex(described).substr(0, digits) + ".json");
}

nlohmann::json to_json(const MachineRates& rates, const std::string& described) {
  nlohmann::json matrix = nlohmann::json::object();
  for (const MatrixRate& rate : rates.matrix) {
    matrix[std::string(to_string(rate.precision))] = rate.gflop_per_s;
  }
  return {{"machine", described}, {"gflop_per_s", matrix}, {"copy_gb_per_s", rates.copy_gb_per_s}};
}

/// Nothing where the file is not one of these. Throws Error where it cannot be read.
std::optional<MachineRates> read(const fs::path& path, const std::string& described) {
  constexpr std::uintmax_t most_bytes = 1 << 16;
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (error || bytes > most_bytes) return std::nullopt;
  const FileBytes file(path);
  const nlohmann::json json =
      parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  const auto is_rate = [](const nlohmann::json& value) {
    return value.is_number() && value.get<double>() > 0;
  };
  if (!json.is_object() || json.value("machine", nlohmann::json()) != described ||
      !is_rate(json.value("copy_gb_per_s", nlohmann::json()))) {
    return std::nullopt;
  }
  MachineRates rates{.matrix = {}, .copy_gb_per_s = json.at("copy_gb_per_s").get<double>()};
  const nlohmann::json matrix = json.value("gflop_per_s", nlohmann::json());
  if (!matrix.is_object()) return std::nullopt;
  for (const Precision each :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}) {
    const auto found = matrix.find(std::string(to_string(each)));
    if (found == matrix.end()) continue;
    if (!is_rate(*found)) return std::nullopt;
    rates.matrix.push_back({each, found->get<double>()});
  }
  if (!rates.gflop_per_s(Precision::fp32)) return std::nullopt;
  return rates;
}

}  // namespace

std::optional<double> MachineRates::gflop_per_s(Precision precision) const {
  for (const MatrixRate& rate : matrix) {
    if (rate.precision == precision) return rate.gflop_per_s;
  }
  return std::nullopt;
}

MachineRates measure_rates(const RatesOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::NoGradGuard no_grad;
  MachineRates rates;
  for (const auto& each : device::describe(options.device).precisions) {
    if (each.support == device::Support::absent) continue;
    rates.matrix.push_back(measure(options, each.precision));
  }
  rates.copy_gb_per_s = copy_gb_per_s(options.device);
  return rates;
}

MachineRates measure_and_keep_rates(const RatesOptions& options, const fs::path& folder) {
  const std::string described = description(options);
  const MachineRates rates = measure_rates(options);
  make_writable_folder(folder);
  write_file(file_of(described, folder), to_json(rates, described).dump(2) + "\n");
  return rates;
}

MachineRates known_rates(const RatesOptions& options, const fs::path& folder) {
  const std::string described = description(options);
  try {
    if (auto kept = read(file_of(described, folder), described)) return *std::move(kept);
  } catch (const Error& error) {
    spdlog::debug("{}", error.what());
  }
  return measure_and_keep_rates(options, folder);
}

}  // namespace mpbench::profile
