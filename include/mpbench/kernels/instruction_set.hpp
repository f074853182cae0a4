#pragma once

#include <string_view>

#include "mpbench/kernels/instruction_set_options.hpp"

namespace mpbench::kernels {

/// What is chosen by name; for "auto" the environment's MPBENCH_KERNELS, and without it the widest
/// that this processor and operating system offer. Throws UsageError for another word, or for
/// instructions that are not there.
InstructionSet instruction_set(std::string_view choice = "auto");

}  // namespace mpbench::kernels
