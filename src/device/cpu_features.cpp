#include "mpbench/device/cpu_features.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mpbench::device {

CpuFeatures parse_cpu_features(const std::string& cpuinfo) {
  CpuFeatures features;
  std::istringstream lines(cpuinfo);
  std::string line;
  while (std::getline(lines, line) && !line.empty()) {  // An empty line ends the first processor.
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) features.name = value;
    if (!line.starts_with("flags")) continue;
    std::istringstream words(value);
    for (std::string flag; words >> flag;) {
      if (flag == "avx512_bf16") features.avx512_bf16 = true;
      if (flag == "avx512_fp16") features.avx512_fp16 = true;
      if (flag == "amx_bf16") features.amx_bf16 = true;
      if (flag == "amx_fp16") features.amx_fp16 = true;
    }
  }
  return features;
}

CpuFeatures limited_to_isa(CpuFeatures features, std::string max_cpu_isa) {
  std::transform(max_cpu_isa.begin(), max_cpu_isa.end(), max_cpu_isa.begin(),
                 [](unsigned char letter) { return std::toupper(letter); });
  // From the narrowest to the widest: what each one leaves out beyond the next.
  constexpr std::array below_avx512_bf16{
      "SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"};
  constexpr std::array below_avx512_fp16{"AVX512_CORE_BF16"};
  constexpr std::array below_amx{"AVX512_CORE_FP16", "AVX10_1_512"};
  constexpr std::array below_amx_fp16{"AVX512_CORE_AMX", "AVX10_1_512_AMX"};
  const auto is_one_of = [&](const auto& names) {
    return std::find(names.begin(), names.end(), max_cpu_isa) != names.end();
  };
  const bool no_bf16 = is_one_of(below_avx512_bf16);
  const bool no_fp16 = no_bf16 || is_one_of(below_avx512_fp16);
  const bool no_amx = no_fp16 || is_one_of(below_amx);
  if (no_bf16) features.avx512_bf16 = false;
  if (no_fp16) features.avx512_fp16 = false;
  if (no_amx) features.amx_bf16 = false;
  if (no_amx || is_one_of(below_amx_fp16)) features.amx_fp16 = false;
  return features;
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = [] {
    std::ifstream file("/proc/cpuinfo");
    const CpuFeatures all = parse_cpu_features({std::istreambuf_iterator<char>(file), {}});
    const char* const max_cpu_isa = std::getenv("ONEDNN_MAX_CPU_ISA");
    return max_cpu_isa == nullptr ? all : limited_to_isa(all, max_cpu_isa);
  }();
  return features;
}

}  // namespace mpbench::device
