#pragma once

#include <optional>
#include <string_view>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::kernels {

/// The vector instructions that our kernels are compiled for. What a processor lacks is never run.
enum class InstructionSet {
  none,    ///< no kernel of ours: everything is the framework's
  avx2,    ///< AVX2, FMA and F16C
  avx512,  ///< AVX-512 F, BW, VL and DQ
};

/// Parses "avx512", "avx2" or "none"; nothing for "auto". Throws UsageError for another word,
/// naming where it is from ("--kernels avx", the default, or another `source`).
std::optional<InstructionSet> parse_instruction_set(std::string_view text,
                                                    std::string_view source = {});

}  // namespace mpbench::kernels

template <>
inline constexpr auto mpbench::enum_names<mpbench::kernels::InstructionSet> =
    std::to_array<mpbench::EnumName<mpbench::kernels::InstructionSet>>(
        {{mpbench::kernels::InstructionSet::avx512, "avx512"},
         {mpbench::kernels::InstructionSet::avx2, "avx2"},
         {mpbench::kernels::InstructionSet::none, "none"}});
