#include "mpbench/kernels/instruction_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {
namespace {

#ifdef __x86_64__
bool has_half_conversions() {
#ifdef __clang__
  return true;  // its builtin does not know f16c, which every processor with AVX2 has
#else
  return __builtin_cpu_supports("f16c") != 0;
#endif
}
#endif

bool supported(InstructionSet instructions) {
#ifdef __x86_64__
  switch (instructions) {
    case InstructionSet::avx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
    case InstructionSet::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
             has_half_conversions();
    case InstructionSet::none:
      break;
  }
#endif
  return instructions == InstructionSet::none;
}

constexpr std::array widest_first{InstructionSet::avx512, InstructionSet::avx2,
                                  InstructionSet::none};

}  // namespace

InstructionSet instruction_set(std::string_view choice) {
  std::string source = fmt::format("--kernels {}", choice);
  std::optional<InstructionSet> wanted = parse_instruction_set(choice, source);
  const char* text = std::getenv("MPBENCH_KERNELS");
  if (!wanted && text != nullptr) {
    source = fmt::format("MPBENCH_KERNELS={}", text);
    wanted = parse_instruction_set(text, source);
  }
  if (!wanted) return *std::find_if(widest_first.begin(), widest_first.end(), supported);
  if (!supported(*wanted)) {
    throw UsageError(fmt::format("{}: this processor does not have these instructions", source));
  }
  return *wanted;
}

}  // namespace mpbench::kernels
