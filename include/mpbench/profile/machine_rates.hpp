#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/core/precision.hpp"
#include "mpbench/kernels/emulation_options.hpp"

namespace mpbench::profile {

/// How fast a device multiplies matrices of one precision.
struct MatrixRate {
  Precision precision = Precision::fp32;
  double gflop_per_s = 0;
};

/// The most that a device was seen to do: the ceilings of a roofline (Williams, Waterman and
/// Patterson, 2009).
struct MachineRates {
  std::vector<MatrixRate> matrix;
  double copy_gb_per_s = 0;  ///< of a copy within the device's memory, read and written

  /// Empty where the precision was not measured.
  std::optional<double> gflop_per_s(Precision precision) const;
};

/// What rates depend on.
struct RatesOptions {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  int threads = 0;  ///< 0: LibTorch's own choice
  kernels::Emulation emulation = kernels::Emulation::automatic;
};

/// Measures them, in two to ten seconds: the faster of a matrix product and a 3x3 convolution in
/// each precision that the device has, computed as a training computes them, and a copy of more
/// than caches hold. The best of several tries each, as other work can only slow them down.
MachineRates measure_rates(const RatesOptions& options);

/// Measures them and keeps them in the folder, under the names of the machine, of LibTorch's
/// version and of the options.
MachineRates measure_and_keep_rates(const RatesOptions& options,
                                    const std::filesystem::path& folder);

/// What the folder has for this machine, this version of LibTorch and these options; what is not
/// there, or cannot be read, is measured and kept.
MachineRates known_rates(const RatesOptions& options, const std::filesystem::path& folder);

}  // namespace mpbench::profile
