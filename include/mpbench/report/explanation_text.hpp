#pragma once

#include <cstddef>
#include <string>

#include "mpbench/explain/explanation.hpp"
#include "mpbench/profile/machine_rates.hpp"

namespace mpbench::report {

/// What `mpbench explain` shows on the terminal: where a step's time goes, a column each arm; what
/// the precision can gain at most; the operators that lose most; the causes. Escape codes only
/// where `colour` is true. Fits `width`.
std::string explanation_text(const explain::Explanation& explanation,
                             const profile::MachineRates& rates, std::size_t width = 80,
                             bool colour = false);

/// The same as JSON, with all figures.
std::string explanation_json(const explain::Explanation& explanation,
                             const profile::MachineRates& rates);

}  // namespace mpbench::report
