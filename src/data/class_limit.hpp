#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpbench/data/sample.hpp"

namespace mpbench::data {

/// Places of `limit` samples, ascending: as many of each class as there are, one class's next after
/// the other's. Where some are for validation (`validation` is not empty) the limit is for the
/// others, and a fifth as many, but at least one, are taken of these. 0 is all.
///
/// Which ones is decided by a hash of each id: the same ones always, spread over the whole, and not
/// others because some are missing.
std::vector<std::int64_t> limit_classes(std::span<const Sample> samples,
                                        const std::vector<bool>& validation, std::int64_t limit);

}  // namespace mpbench::data
