#pragma once

#include <c10/core/Device.h>

#include <vector>

#include "mpbench/profile/operator_record.hpp"
#include "operator_table.hpp"

namespace mpbench::profile {

/// Runs the slowest of the convolutions by themselves, in the dtype and memory format that they
/// ran in and in others, as long as `budget_s` lasts: one that has begun is finished. In the order
/// given, the slowest first.
std::vector<ConvolutionRecord> time_convolutions(
    const std::vector<OperatorTable::Convolution>& convolutions, std::int64_t steps,
    c10::Device device, bool channels_last, double budget_s);

}  // namespace mpbench::profile
