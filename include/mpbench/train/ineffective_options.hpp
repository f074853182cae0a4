#pragma once

#include <set>
#include <span>
#include <string>

#include "mpbench/train/config.hpp"

/// Options that do nothing together with the others, as --momentum with --optimizer adam.
namespace mpbench::train {

/// Throws UsageError naming the first option that has no effect in any of the runs, though it is
/// set to something else than its default, or is among `given`: those that the user named, by
/// their flags' names.
void require_effect(std::span<const TrainConfig> runs, const std::set<std::string>& given = {});

/// The same run with such options at their defaults: what an arm of a comparison makes of an option
/// that is for another arm.
TrainConfig without_ineffective(TrainConfig config);

}  // namespace mpbench::train
