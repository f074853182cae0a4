#include "class_limit.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "mpbench/core/random.hpp"

namespace mpbench::data {
namespace {

/// FNV-1a, scrambled: ids differ in their last characters.
std::uint64_t hash(std::string_view id) {
  std::uint64_t state = 0xCBF29CE484222325U;
  for (const char c : id) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return mix_bits(state);
}

/// The first `count` places of every class in turn.
void take_in_turn(std::span<const Sample> samples, const std::vector<std::int64_t>& places,
                  std::size_t count, std::vector<std::int64_t>& chosen) {
  struct Ranked {
    std::uint64_t rank;
    std::int64_t place;
  };
  std::map<int, std::vector<Ranked>> classes;
  for (const auto place : places) {
    const auto& sample = samples[static_cast<std::size_t>(place)];
    classes[sample.label].push_back({hash(sample.id), place});
  }
  std::size_t longest = 0;
  for (auto& [label, members] : classes) {
    std::sort(members.begin(), members.end(), [](const Ranked& a, const Ranked& b) {
      return a.rank != b.rank ? a.rank < b.rank : a.place < b.place;
    });
    longest = std::max(longest, members.size());
  }
  std::size_t taken = 0;
  for (std::size_t round = 0; round < longest && taken < count; ++round) {
    for (const auto& [label, members] : classes) {
      if (round >= members.size() || taken == count) continue;
      chosen.push_back(members[round].place);
      ++taken;
    }
  }
}

}  // namespace

std::vector<std::int64_t> limit_classes(std::span<const Sample> samples,
                                        const std::vector<bool>& validation, std::int64_t limit) {
  std::vector<std::int64_t> chosen;
  if (limit <= 0) {
    chosen.resize(samples.size());
    std::iota(chosen.begin(), chosen.end(), 0);
    return chosen;
  }
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> others;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const bool for_training = validation.empty() || !validation[i];
    (for_training ? training : others).push_back(static_cast<std::int64_t>(i));
  }
  const auto wanted = static_cast<std::size_t>(limit);
  take_in_turn(samples, training, wanted, chosen);
  take_in_turn(samples, others, std::max<std::size_t>(1, wanted / 5), chosen);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace mpbench::data
