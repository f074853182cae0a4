#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mpbench/profile/operator_kind.hpp"
#include "profiled_event.hpp"

namespace mpbench::profile {

/// Whose time is told: the host's, which computes, or the GPU's, which it starts kernels on.
enum class TimedDevice { cpu, gpu };

/// Part of the time of one event, and what it is spent on.
struct OperatorTime {
  std::size_t row = 0;  ///< the event whose row of operators.csv it is: an index
  OperatorKind kind = OperatorKind::other;
  std::int64_t ns = 0;
  bool is_call = false;  ///< the row's own event: a call of it
};

/// Shares out what events took by themselves, without those within them. An event belongs
///   - to the innermost part of the step that has a kind (device::StepPart), else
///   - to the copy that it is part of, else
///   - to the operator with a kind that it is part of, the outermost where several of one kind are
///     nested, as aten::convolution calls aten::_convolution, but the inner one of two of one name,
///     as autocast calls aten::addmm with other inputs; else
///   - to itself, an operator of no kind.
/// Nodes of the backward pass and ranges are host. What is left of a step, between its events, is
/// for the caller to add.
std::vector<OperatorTime> operator_times(const std::vector<ProfiledEvent>& events,
                                         TimedDevice device);

}  // namespace mpbench::profile
