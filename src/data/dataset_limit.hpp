#pragma once

#include <cstdint>

#include "mpbench/data/image_set.hpp"
#include "mpbench/data/image_table.hpp"

/// What a limit leaves of a whole dataset; 0 leaves all.
namespace mpbench::data {

/// Whole patients of an already preprocessed set, as limit_patients chooses those of a table.
ImageSet limit_patients(const ImageSet& set, std::int64_t limit);

/// As many of each class of an already preprocessed set, as limit_classes chooses samples.
ImageSet limit_classes(const ImageSet& set, std::int64_t limit);

/// The same for files that are not prepared yet.
ImageTable limit_classes(ImageTable table, std::int64_t limit);

/// Throws UsageError where a limit has left a single class of several: of the training images, or
/// of all where they are still to be split.
void require_two_classes(const ImageSet& set, std::int64_t limit);

}  // namespace mpbench::data
