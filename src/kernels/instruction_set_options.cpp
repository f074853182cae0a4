#include "mpbench/kernels/instruction_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

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

constexpr std::array widest_first{InstructionSet::avx512, InstructionSet::avx2,
                                  InstructionSet::none};

bool is_choice(std::string_view text) {
  return text == "auto" ||
         std::any_of(widest_first.begin(), widest_first.end(),
                     [&](InstructionSet instructions) { return text == to_string(instructions); });
}

}  // namespace

void require_instruction_set(std::string_view choice) {
  if (!is_choice(choice)) {
    throw UsageError(fmt::format("--kernels {}: choose auto, avx512, avx2 or none", choice));
  }
}

InstructionSet instruction_set(std::string_view choice) {
  std::string source = fmt::format("--kernels {}", choice);
  const char* text = std::getenv("MPBENCH_KERNELS");
  if (choice == "auto" && text != nullptr) {
    choice = text;
    source = fmt::format("MPBENCH_KERNELS={}", text);
  }
  if (!is_choice(choice)) {
    throw UsageError(fmt::format("{}: choose auto, avx512, avx2 or none", source));
  }
  const auto* const found =
      std::find_if(widest_first.begin(), widest_first.end(), [&](InstructionSet instructions) {
        return choice == "auto" ? supported(instructions) : choice == to_string(instructions);
      });
  if (!supported(*found)) {
    throw UsageError(fmt::format("{}: this processor does not have these instructions", source));
  }
  return *found;
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
