#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mpbench::data {

/// The places of one epoch's images, batch after batch; every batch but the last has `batch_size`
/// of them. Shuffled by (seed, epoch) alone.
std::vector<std::int64_t> shuffled_order(std::span<const std::int64_t> indices, std::uint64_t seed,
                                         int epoch);

/// The same for `total` places (at most as many as there are indices), with positives spread
/// evenly: each batch has at least one; with a batch size of 1, each pair of batches. With fewer
/// positives than batches (or pairs) they are repeated and as many negatives left out.
std::vector<std::int64_t> balanced_order(std::span<const std::int64_t> positives,
                                         std::span<const std::int64_t> negatives, int batch_size,
                                         std::int64_t total, std::uint64_t seed, int epoch);

/// How often the index at each place of an order has come before it; indices are below `size`.
std::vector<std::int32_t> occurrences_in(std::span<const std::int64_t> order, std::int64_t size);

}  // namespace mpbench::data
