#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "mpbench/core/build_info.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/dicom/library_versions.hpp"
#include "mpbench/profile/machine_rates.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

using nlohmann::ordered_json;

ordered_json versions_json() {
  // Before the others: without a driver it is this that loads CUDA's part, and ATen asks only once.
  const device::CudaVersions cuda = device::cuda_versions();
  const device::Versions torch = device::versions();
  const dicom::LibraryVersions imaging = dicom::library_versions();
  return {{"mpbench", build_info::version()},
          {"git_commit", build_info::git_commit()},
          {"build_type", build_info::build_type()},
          {"libtorch", torch.torch},
          {"libtorch_built_for", torch.torch_built_for},
          {"cuda", cuda.runtime},
          {"cudnn", cuda.cudnn},
          {"driver", cuda.driver},
          {"onednn", torch.onednn},
          {"opencv", imaging.opencv},
          {"dcmtk", imaging.dcmtk},
          {"openjpeg", imaging.openjpeg}};
}

ordered_json device_json(const device::DeviceInfo& info) {
  ordered_json precisions = ordered_json::object();
  for (const auto& each : info.precisions) {
    precisions[std::string(to_string(each.precision))] = {{"support", enum_name(each.support)},
                                                          {"advice", each.advice}};
  }
  return {{"device", info.device.str()},
          {"name", info.name},
          {"compute_capability", info.compute_capability},
          {"memory_bytes", info.memory_bytes},
          {"cores", info.cores},
          {"amp", to_string(device::default_mixed_precision(info.device))},
          {"precisions", precisions}};
}

/// Measured now, and kept for `mpbench explain`.
profile::MachineRates measured_rates(const device::DeviceInfo& info) {
  return profile::measure_and_keep_rates({.device = info.device},
                                         data::user_cache_folder() / "rates");
}

void print_rates(const device::DeviceInfo& info) {
  const profile::MachineRates rates = measured_rates(info);
  fmt::print("{} multiplies and copies here, at its best:\n", info.device.str());
  for (const profile::MatrixRate& rate : rates.matrix) {
    fmt::print("  {:<5} {:.4g} GFLOP/s\n", to_string(rate.precision), rate.gflop_per_s);
  }
  fmt::print("  {:<5} {:.4g} GB/s, read and written\n", "copy", rates.copy_gb_per_s);
}

ordered_json rates_json(const device::DeviceInfo& info) {
  const profile::MachineRates rates = measured_rates(info);
  ordered_json matrix = ordered_json::object();
  for (const profile::MatrixRate& rate : rates.matrix) {
    matrix[std::string(to_string(rate.precision))] = rate.gflop_per_s;
  }
  return {{"gflop_per_s", matrix}, {"copy_gb_per_s", rates.copy_gb_per_s}};
}

void print_text(const std::vector<device::DeviceInfo>& devices) {
  for (const auto& info : devices) {
    fmt::print("{}: {} ({} cores, {:.0f} GiB{}{})\n", info.device.str(), info.name, info.cores,
               static_cast<double>(info.memory_bytes) / (1 << 30),
               info.compute_capability.empty() ? "" : "; ", info.compute_capability);
    for (const auto& each : info.precisions) {
      fmt::print("  {:<5} {:<9} {}\n", to_string(each.precision), enum_name(each.support),
                 each.advice);
    }
    fmt::print("  --amp means {} here\n", to_string(device::default_mixed_precision(info.device)));
  }
  fmt::print("\n");
  const ordered_json versions = versions_json();
  for (const auto& [name, version] : versions.items()) {
    const auto text = version.get<std::string>();
    fmt::print("{:<18} {}\n", name, text.empty() ? "-" : text);
  }
}

}  // namespace

ExitCode run_info(const InfoOptions& options) {
  const auto devices = device::list_devices();
  if (!options.json) {
    print_text(devices);
    if (!options.measure) return ExitCode::done;
    fmt::print("\n");
    for (const auto& info : devices) print_rates(info);
    return ExitCode::done;
  }
  ordered_json all{{"versions", versions_json()}, {"devices", ordered_json::array()}};
  for (const auto& info : devices) {
    all["devices"].push_back(device_json(info));
    if (options.measure) all["devices"].back()["rates"] = rates_json(info);
  }
  fmt::print("{}\n", all.dump(2));
  return ExitCode::done;
}

}  // namespace mpbench::commands
