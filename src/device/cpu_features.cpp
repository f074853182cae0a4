#include "mpbench/device/cpu_features.hpp"

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

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = [] {
    std::ifstream file("/proc/cpuinfo");
    return parse_cpu_features({std::istreambuf_iterator<char>(file), {}});
  }();
  return features;
}

}  // namespace mpbench::device
