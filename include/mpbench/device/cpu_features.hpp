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

/// The features that oneDNN may still use where ONEDNN_MAX_CPU_ISA (AVX2, AVX512_CORE_BF16, ...)
/// limits it, in upper or lower case. A name that is not known limits nothing, as in oneDNN.
CpuFeatures limited_to_isa(CpuFeatures features, std::string max_cpu_isa);

/// Reads /proc/cpuinfo once; a field the kernel does not report is false. Limited to
/// ONEDNN_MAX_CPU_ISA where it is set.
const CpuFeatures& cpu_features();

/// The same from text in /proc/cpuinfo's format.
CpuFeatures parse_cpu_features(const std::string& cpuinfo);

}  // namespace mpbench::device
