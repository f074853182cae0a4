#pragma once

#include <vector>

#include "mpbench/profile/operator_record.hpp"

namespace mpbench::profile {

/// Splits each row of convolution-backward, which computes both gradients in one operator, into one
/// of the data's and one of the weight's, in the ratio that the two have where they were run by
/// themselves; a convolution that was not run by itself has the mean ratio of those that were. Rows
/// stay as they are where none was.
void share_gradients(std::vector<OperatorRecord>& operators,
                     const std::vector<ConvolutionRecord>& convolutions);

}  // namespace mpbench::profile
