#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "mpbench/data/sample.hpp"

namespace mpbench::data {

/// Disjoint lists of places in ImageDataset::samples, each ascending.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
  std::vector<std::int64_t> test;  ///< kept from training and from every choice made in it
  /// [samples] where this is one of several folds: which of them has the sample for validation, or
  /// -1 where none has. Empty for a split that stands alone.
  std::vector<int> folds;
};

/// Splits by group, so that no patient is on both sides, and by stratum, so that both sides have
/// positives: a group's stratum is its highest label (a patient is positive if any image is). Of
/// each stratum's groups `validation_fraction` are for validation, rounded, and at least one on
/// each side where it has two or more. The same samples and seed give the same split on every
/// machine. Throws UsageError for a fraction outside (0, 1), Error when one side would be empty.
Split grouped_stratified_split(std::span<const Sample> samples, double validation_fraction,
                               std::uint64_t seed);

/// Splits k times, so that every group is for validation in exactly one fold and for training in
/// all others; element f is fold f. Each fold gets as equal a share as whole groups allow of the
/// images of every label, and of all images: groups are shuffled, those of a stratum dealt out from
/// the largest to the smallest, each to the fold that has least, and then the heaviest and the
/// lightest fold swap groups for as long as that brings them closer. A label that fewer than k
/// groups have is missing in the validation of some folds: each has what there is. The same samples
/// and seed give the same folds on every machine. Throws UsageError for k < 2, Error for fewer than
/// k groups.
std::vector<Split> grouped_stratified_folds(std::span<const Sample> samples, int k,
                                            std::uint64_t seed);

/// Writes `id,split` with one row a sample, "train", "validation" or "test"; samples in no list
/// are left out. A split with folds has a third column, `fold`, from 0.
void write_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     const Split& split);

/// Reads what write_split_csv wrote, for the same samples in any order; other columns, `fold` too,
/// are not looked at. Samples that no row names are in no list, and a warning counts them. Rows of
/// samples that are not there are passed over where only some of a dataset is given (`is_limited`).
/// Throws InputError for an id that is unknown or comes twice, for another word than "train",
/// "validation" or "test", when a group is in two of them, and when nothing is for training or
/// validation.
Split read_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     bool is_limited = false);

/// Reads all k folds from the columns `id` and `fold`; `split` is not looked at. Throws InputError
/// for an id that is unknown (unless `is_limited`) or comes twice, for a fold that is not one of 0
/// to k - 1, when a group is in two folds, and when a fold has no image; UsageError for k < 2.
std::vector<Split> read_folds_csv(const std::filesystem::path& path,
                                  std::span<const Sample> samples, int k, bool is_limited = false);

}  // namespace mpbench::data
