#include "mpbench/kernels/instruction_set.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {
namespace {

bool supported(InstructionSet instructions) {
#ifdef __x86_64__
  switch (instructions) {
    case InstructionSet::avx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
    case InstructionSet::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
             __builtin_cpu_supports("f16c") != 0;
    case InstructionSet::none:
      break;
  }
#endif
  return instructions == InstructionSet::none;
}

}  // namespace

InstructionSet instruction_set() {
  const char* text = std::getenv("MPBENCH_KERNELS");
  const std::string_view choice = text == nullptr ? "auto" : text;
  for (const InstructionSet instructions :
       {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::none}) {
    if (choice == "auto" && supported(instructions)) return instructions;
    if (choice != to_string(instructions)) continue;
    if (!supported(instructions)) {
      throw UsageError(fmt::format("MPBENCH_KERNELS={}: this processor does not have it", choice));
    }
    return instructions;
  }
  throw UsageError(fmt::format("MPBENCH_KERNELS={}: choose auto, avx512, avx2 or none", choice));
}

std::string_view to_string(InstructionSet instructions) {
  switch (instructions) {
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::none:
      break;
  }
  return "none";
}

}  // namespace mpbench::kernels
