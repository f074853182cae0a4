#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/image_manifest.hpp"
#include "mpbench/data/sample.hpp"

/// What a limit leaves of a dataset; 0 leaves all.
namespace mpbench::data {

/// Places of `limit` samples, ascending: as many of each class as there are, one class's next after
/// the other's. Where some are for validation (`validation` is not empty) the limit is for the
/// others, and a fifth as many, but at least one, are taken of these.
///
/// Which ones is decided by a hash of each id: the same ones always, spread over the whole, and not
/// others because some are missing.
std::vector<std::int64_t> limit_classes(std::span<const Sample> samples,
                                        const std::vector<bool>& validation, std::int64_t limit);

/// The same of an already preprocessed set.
ImageDataset limit_classes(const ImageDataset& set, std::int64_t limit);

/// The same of files that are not prepared yet.
ImageManifest limit_classes(ImageManifest table, std::int64_t limit);

/// Places of the samples of whole patients (Sample::group), ascending: always the same patients,
/// until there are no more than `limit` samples; positive and negative patients in the samples' own
/// proportion, but two positive ones first where there are any. Throws UsageError when not one
/// fits.
std::vector<std::int64_t> limit_patients(std::span<const Sample> samples, std::int64_t limit);

/// The same of an already preprocessed set.
ImageDataset limit_patients(const ImageDataset& set, std::int64_t limit);

/// Throws UsageError where a limit has left a single class of several: of the training images, or
/// of all where they are still to be split.
void require_two_classes(const ImageDataset& set, std::int64_t limit);

}  // namespace mpbench::data
