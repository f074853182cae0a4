#include "mpbench/data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>

#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/csv.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"

namespace mpbench::data {
namespace {

struct Group {
  int stratum = 0;
  std::vector<std::int64_t> members;
};

/// Groups in order of first appearance.
std::vector<Group> collect_groups(std::span<const Sample> samples) {
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(samples[i].group, groups.size());
    if (is_new) groups.emplace_back();
    Group& group = groups[place->second];
    group.stratum = std::max(group.stratum, samples[i].label);
    group.members.push_back(static_cast<std::int64_t>(i));
  }
  return groups;
}

}  // namespace

Split grouped_stratified_split(std::span<const Sample> samples, double validation_fraction,
                               std::uint64_t seed) {
  if (!(validation_fraction > 0 && validation_fraction < 1)) {
    throw UsageError(fmt::format("the validation fraction must be between 0 and 1, not {}",
                                 validation_fraction));
  }
  const auto groups = collect_groups(samples);
  std::map<int, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < groups.size(); ++i) strata[groups[i].stratum].push_back(i);

  Split split;
  for (auto& [label, members] : strata) {
    SplitMix64 random(mix_seed(seed, static_cast<std::uint64_t>(label)));
    shuffle(members, random);
    auto count = static_cast<std::size_t>(
        std::llround(validation_fraction * static_cast<double>(members.size())));
    if (members.size() >= 2) count = std::clamp<std::size_t>(count, 1, members.size() - 1);
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto& side = i < count ? split.validation : split.train;
      const auto& images = groups[members[i]].members;
      side.insert(side.end(), images.begin(), images.end());
    }
  }
  if (split.train.empty() || split.validation.empty()) {
    throw Error(
        fmt::format("{} images of {} patients are too few to split into training and validation",
                    samples.size(), groups.size()));
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

void write_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     const Split& split) {
  std::string text = csv::line({"id", "split"});
  const auto add = [&](const std::vector<std::int64_t>& indices, const char* side) {
    for (const auto index : indices) {
      text += csv::line({samples[static_cast<std::size_t>(index)].id, side});
    }
  };
  add(split.train, "train");
  add(split.validation, "validation");
  write_file(path, text);
}

Split read_split_csv(const std::filesystem::path& path, std::span<const Sample> samples) {
  const auto table = csv::read(path);
  const auto id_column = table.column("id");
  const auto split_column = table.column("split");
  std::unordered_map<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    places.emplace(samples[i].id, static_cast<std::int64_t>(i));
  }
  Split split;
  std::unordered_map<std::string, bool> group_is_validation;
  std::vector<bool> seen(samples.size(), false);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& id = table.rows[row][id_column];
    const auto& side = table.rows[row][split_column];
    const auto fail = [&](const char* column, const std::string& problem) {
      throw InputError(path, fmt::format("row {}, column {}", row + 2, column), problem);
    };
    const auto place = places.find(id);
    if (place == places.end()) fail("id", fmt::format("'{}' is not in the dataset", id));
    const auto index = static_cast<std::size_t>(place->second);
    if (seen[index]) fail("id", fmt::format("'{}' comes twice", id));
    seen[index] = true;
    if (side != "train" && side != "validation") {
      fail("split", fmt::format("'{}' is neither train nor validation", side));
    }
    const bool is_validation = side == "validation";
    const auto [group, is_new] =
        group_is_validation.try_emplace(samples[index].group, is_validation);
    if (!is_new && group->second != is_validation) {
      fail("split", fmt::format("'{}' of patient {} is on the other side than an earlier image", id,
                                samples[index].group));
    }
    (is_validation ? split.validation : split.train).push_back(place->second);
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

}  // namespace mpbench::data
