#include "mpbench/kernels/instruction_set_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

std::optional<InstructionSet> parse_instruction_set(std::string_view text,
                                                    std::string_view source) {
  if (text == "auto") return std::nullopt;
  if (const auto named = find_enum<InstructionSet>(text)) return named;
  throw UsageError(fmt::format("{}: choose auto, {}",
                               source.empty() ? fmt::format("--kernels {}", text) : source,
                               enum_choices<InstructionSet>()));
}

}  // namespace mpbench::kernels
