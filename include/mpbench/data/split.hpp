#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "mpbench/data/sample.hpp"

namespace mpbench::data {

/// Two disjoint lists of places in ImageSet::samples, each ascending.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// Splits by group, so that no patient is on both sides, and by stratum, so that both sides have
/// positives: a group's stratum is its highest label (a patient is positive if any image is). Of
/// each stratum's groups `validation_fraction` are for validation, rounded, and at least one on
/// each side where it has two or more. The same samples and seed give the same split on every
/// machine. Throws UsageError for a fraction outside (0, 1), Error when one side would be empty.
Split grouped_stratified_split(std::span<const Sample> samples, double validation_fraction,
                               std::uint64_t seed);

/// Writes `id,split` with one row a sample, "train" or "validation"; samples in neither list are
/// left out.
void write_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     const Split& split);

/// Reads what write_split_csv wrote, for the same samples in any order. Throws InputError for an id
/// that is unknown or comes twice, for another word than "train" or "validation", and when a group
/// is on both sides.
Split read_split_csv(const std::filesystem::path& path, std::span<const Sample> samples);

}  // namespace mpbench::data
