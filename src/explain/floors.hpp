#pragma once

#include <optional>

#include "mpbench/core/precision.hpp"
#include "mpbench/profile/machine_rates.hpp"
#include "mpbench/profile/operator_record.hpp"

namespace mpbench::explain {

/// The milliseconds that an operator takes at the least, by the roofline: the longer of what its
/// multiplications and its bytes take at the machine's rates. `precision`: what it computes in.
/// Empty where neither is known.
std::optional<double> floor_ms(const profile::OperatorRecord& row, Precision precision,
                               const profile::MachineRates& rates);

/// What an operator of an arm computes in, by its dtype: fp32 is tf32 where the arm allows that.
Precision computed_in(const profile::OperatorRecord& row, Precision arm);

/// Bytes of an element of a tensor that a precision computes with.
int bytes_of(Precision precision);

}  // namespace mpbench::explain
