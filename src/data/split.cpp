#include "mpbench/data/split.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

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

std::int64_t count_label(std::span<const Sample> samples, const Group& group, int label) {
  return std::count_if(group.members.begin(), group.members.end(), [&](std::int64_t i) {
    return samples[static_cast<std::size_t>(i)].label == label;
  });
}

/// What a fold has for validation so far.
class FoldLoad {
 public:
  void add(std::span<const Sample> samples, const Group& group) {
    for (const auto i : group.members) ++by_label_[samples[static_cast<std::size_t>(i)].label];
    images_ += group.members.size();
  }
  /// Images of the label, then of any: an empty fold is lighter than all others, so that none stays
  /// empty where there are enough groups.
  std::pair<std::size_t, std::size_t> weight(int label) const {
    const auto found = by_label_.find(label);
    return {found == by_label_.end() ? 0 : found->second, images_};
  }

 private:
  std::map<int, std::size_t> by_label_;
  std::size_t images_ = 0;
};

void require_folds(int k) {
  if (k < 2) throw UsageError(fmt::format("there must be at least 2 folds, not {}", k));
}

/// Each fold as a split; samples of fold -1 are in none.
std::vector<Split> splits_of(const std::vector<int>& folds, int k) {
  std::vector<Split> splits(static_cast<std::size_t>(k));
  for (int f = 0; f < k; ++f) {
    Split& split = splits[static_cast<std::size_t>(f)];
    split.folds = folds;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i] < 0) continue;
      (folds[i] == f ? split.validation : split.train).push_back(static_cast<std::int64_t>(i));
    }
  }
  return splits;
}

/// Which part each sample is put in by the cells of a column, -1 where no row names it. `parse`
/// turns a cell into the number of a part, from 0, or throws Error.
template <typename Parse>
std::vector<int> read_parts(const std::filesystem::path& path, std::span<const Sample> samples,
                            const char* column, Parse parse) {
  const auto table = csv::read(path);
  const auto id_column = table.column("id");
  const auto part_column = table.column(column);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) places.emplace(samples[i].id, i);

  std::vector<int> parts(samples.size(), -1);
  std::unordered_map<std::string, int> part_of_group;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& id = table.rows[row][id_column];
    const auto fail = [&](const char* where, const std::string& problem) {
      throw InputError(path, fmt::format("row {}, column {}", row + 2, where), problem);
    };
    const auto place = places.find(id);
    if (place == places.end()) fail("id", fmt::format("'{}' is not in the dataset", id));
    int& part = parts[place->second];
    if (part >= 0) fail("id", fmt::format("'{}' comes twice", id));
    try {
      part = parse(table.rows[row][part_column]);
    } catch (const Error& error) {
      fail(column, error.what());
    }
    const auto& name = samples[place->second].group;
    const auto [group, is_new] = part_of_group.try_emplace(name, part);
    if (!is_new && group->second != part) {
      fail(column,
           fmt::format("'{}' of patient {} is apart from the patient's earlier images", id, name));
    }
  }
  if (table.rows.size() < samples.size()) {
    spdlog::warn("{} does not name {} of the dataset's {} images: they are left out", path.string(),
                 samples.size() - table.rows.size(), samples.size());
  }
  return parts;
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

std::vector<Split> grouped_stratified_folds(std::span<const Sample> samples, int k,
                                            std::uint64_t seed) {
  require_folds(k);
  const auto groups = collect_groups(samples);
  if (groups.size() < static_cast<std::size_t>(k)) {
    throw Error(fmt::format("{} images of {} patients are too few for {} folds", samples.size(),
                            groups.size(), k));
  }
  // The highest label first: its groups bring images of lower labels along, which the groups that
  // follow make up for.
  std::map<int, std::vector<const Group*>, std::greater<>> strata;
  for (const auto& group : groups) strata[group.stratum].push_back(&group);

  std::vector<FoldLoad> loads(static_cast<std::size_t>(k));
  std::vector<int> folds(samples.size(), -1);
  for (auto& [label, members] : strata) {
    SplitMix64 random(mix_seed(seed, static_cast<std::uint64_t>(label)));
    shuffle(members, random);
    const auto weight = [&, stratum = label](const Group* group) {
      return std::pair(count_label(samples, *group, stratum), group->members.size());
    };
    // Those that come last even out what the large ones left unequal.
    std::stable_sort(members.begin(), members.end(),
                     [&](const auto* a, const auto* b) { return weight(a) > weight(b); });
    for (const Group* group : members) {
      const auto lightest = std::min_element(loads.begin(), loads.end(),
                                             [stratum = label](const auto& a, const auto& b) {
                                               return a.weight(stratum) < b.weight(stratum);
                                             });
      lightest->add(samples, *group);
      for (const auto i : group->members) {
        folds[static_cast<std::size_t>(i)] = static_cast<int>(lightest - loads.begin());
      }
    }
  }
  return splits_of(folds, k);
}

void write_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     const Split& split) {
  const bool has_folds = !split.folds.empty();
  std::string text = has_folds ? csv::line({"id", "split", "fold"}) : csv::line({"id", "split"});
  const auto add = [&](const std::vector<std::int64_t>& indices, const char* side) {
    for (const auto index : indices) {
      const auto i = static_cast<std::size_t>(index);
      std::vector<std::string> cells{samples[i].id, side};
      if (has_folds) cells.push_back(std::to_string(split.folds[i]));
      text += csv::line(cells);
    }
  };
  add(split.train, "train");
  add(split.validation, "validation");
  write_file(path, text);
}

Split read_split_csv(const std::filesystem::path& path, std::span<const Sample> samples) {
  const auto sides = read_parts(path, samples, "split", [](const std::string& side) -> int {
    if (side == "train") return 0;
    if (side == "validation") return 1;
    throw Error(fmt::format("'{}' is neither train nor validation", side));
  });
  Split split;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (sides[i] >= 0) {
      (sides[i] == 0 ? split.train : split.validation).push_back(static_cast<std::int64_t>(i));
    }
  }
  if (split.train.empty()) throw InputError(path, "column split", "no image is for training");
  if (split.validation.empty()) {
    throw InputError(path, "column split", "no image is for validation");
  }
  return split;
}

std::vector<Split> read_folds_csv(const std::filesystem::path& path,
                                  std::span<const Sample> samples, int k) {
  require_folds(k);
  const auto folds = read_parts(path, samples, "fold", [k](const std::string& text) {
    int fold = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fold);
    if (error != std::errc() || end != text.data() + text.size() || fold < 0 || fold >= k) {
      throw Error(fmt::format("'{}' is not one of the folds 0 to {}", text, k - 1));
    }
    return fold;
  });
  for (int fold = 0; fold < k; ++fold) {
    if (std::find(folds.begin(), folds.end(), fold) == folds.end()) {
      throw InputError(path, "column fold", fmt::format("no image is in fold {}", fold));
    }
  }
  return splits_of(folds, k);
}

}  // namespace mpbench::data
