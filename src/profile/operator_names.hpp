#pragma once

#include <optional>
#include <string_view>

#include "mpbench/device/step_range.hpp"
#include "mpbench/profile/operator_kind.hpp"

namespace mpbench::profile {

/// What the name of an operator says of it.
struct NamedOperator {
  OperatorKind kind = OperatorKind::other;
  /// It only chooses another operator and calls that one: what it takes itself is a row of its own.
  bool chooses = false;
};

/// Nothing for an operator that no kind is named after.
std::optional<NamedOperator> find_operator(std::string_view name);

/// Whether an operator copies its input, to another dtype or memory format.
bool is_copy(std::string_view name);

/// Whether it is an operator at all, and not a node of the backward pass or a range.
bool is_operator(std::string_view name);

/// The kind of what is done in a part of the step, whatever operators do it. Nothing for the
/// forward and backward pass.
std::optional<OperatorKind> kind_of(device::StepPart part);

}  // namespace mpbench::profile
