#include "batch_order.hpp"

#include <algorithm>

#include "mpbench/core/random.hpp"

namespace mpbench::data {
namespace {

/// Goes through items in a new random order each time round.
class Cycle {
 public:
  Cycle(std::span<const std::int64_t> items, SplitMix64& random)
      : items_(items.begin(), items.end()), random_(random), place_(items_.size()) {}

  std::int64_t next() {
    if (place_ == items_.size()) {
      shuffle(items_, random_);
      place_ = 0;
    }
    return items_[place_++];
  }

 private:
  std::vector<std::int64_t> items_;
  SplitMix64& random_;
  std::size_t place_;
};

SplitMix64 epoch_random(std::uint64_t seed, int epoch) {
  return SplitMix64(mix_seed(seed, static_cast<std::uint64_t>(epoch)));
}

}  // namespace

std::vector<std::int64_t> shuffled_order(std::span<const std::int64_t> indices, std::uint64_t seed,
                                         int epoch) {
  auto random = epoch_random(seed, epoch);
  std::vector<std::int64_t> order(indices.begin(), indices.end());
  shuffle(order, random);
  return order;
}

std::vector<std::int64_t> balanced_order(std::span<const std::int64_t> positives,
                                         std::span<const std::int64_t> negatives, int batch_size,
                                         std::int64_t total, std::uint64_t seed, int epoch) {
  auto random = epoch_random(seed, epoch);
  // A positive in every batch of one image would leave the negatives out.
  batch_size = std::max(batch_size, 2);
  const auto all = static_cast<std::int64_t>(positives.size() + negatives.size());
  const std::int64_t batches = (total + batch_size - 1) / batch_size;
  // One positive a batch is certain; the rest go where there is room, in proportion to it. With
  // drop_last (total < all) positives are dropped in proportion, but no batch goes without.
  const auto share = static_cast<std::int64_t>(positives.size()) * total / all;
  const std::int64_t spread =
      std::clamp(share, std::max(batches, total - static_cast<std::int64_t>(negatives.size())),
                 total) -
      batches;
  const std::int64_t room = total - batches;

  Cycle next_positive(positives, random);
  Cycle next_negative(negatives, random);
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(total));
  std::vector<std::int64_t> batch;
  std::int64_t room_before = 0;
  for (std::int64_t b = 0; b < batches; ++b) {
    const std::int64_t size = std::min<std::int64_t>(batch_size, total - b * batch_size);
    const std::int64_t room_after = room_before + size - 1;
    const std::int64_t extra =
        room == 0 ? 0 : room_after * spread / room - room_before * spread / room;
    room_before = room_after;
    batch.clear();
    for (std::int64_t i = 0; i < size; ++i) {
      batch.push_back(i < 1 + extra ? next_positive.next() : next_negative.next());
    }
    shuffle(batch, random);
    order.insert(order.end(), batch.begin(), batch.end());
  }
  return order;
}

std::vector<std::int32_t> occurrences_in(std::span<const std::int64_t> order, std::int64_t size) {
  std::vector<std::int32_t> counts(static_cast<std::size_t>(size));
  std::vector<std::int32_t> occurrences;
  occurrences.reserve(order.size());
  for (const auto index : order) {
    occurrences.push_back(counts[static_cast<std::size_t>(index)]++);
  }
  return occurrences;
}

}  // namespace mpbench::data
