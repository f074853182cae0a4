#include "mpbench/kernels/emulation_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

Emulation parse_emulation(std::string_view text) {
  for (const Emulation choice : {Emulation::automatic, Emulation::framework}) {
    if (text == to_string(choice)) return choice;
  }
  throw UsageError(fmt::format("--emulation {}: choose auto or framework", text));
}

std::string_view to_string(Emulation choice) {
  return choice == Emulation::framework ? "framework" : "auto";
}

}  // namespace mpbench::kernels
