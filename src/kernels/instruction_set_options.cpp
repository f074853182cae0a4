#include "mpbench/kernels/instruction_set_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

std::optional<InstructionSet> parse_instruction_set(std::string_view text,
                                                    std::string_view source) {
  if (text == "auto") return std::nullopt;
  for (const auto choice : {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::none}) {
    if (text == to_string(choice)) return choice;
  }
  throw UsageError(fmt::format("{}: choose auto, avx512, avx2 or none",
                               source.empty() ? fmt::format("--kernels {}", text) : source));
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
