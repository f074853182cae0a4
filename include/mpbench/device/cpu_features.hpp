#pragma once

#include <string>

namespace mpbench::device {

/// What the processor can do in reduced precision, as the kernel reports it in /proc/cpuinfo.
struct CpuFeatures {
  std::string name;          ///< "Intel(R) Xeon(R) ...", "AMD EPYC"
  bool avx512_bf16 = false;  ///< bf16 dot products (VDPBF16PS)
  bool avx512_fp16 = false;  ///< fp16 arithmetic
  bool amx_bf16 = false;     ///< bf16 tile matrix products
  bool amx_fp16 = false;     ///< fp16 tile matrix products
};

/// Reads /proc/cpuinfo once; a field the kernel does not report is false.
const CpuFeatures& cpu_features();

/// The same from text in /proc/cpuinfo's format.
CpuFeatures parse_cpu_features(const std::string& cpuinfo);

}  // namespace mpbench::device
