#include "mpbench/data/split.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"

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

/// Images of one label, or of any.
using Counted = std::optional<int>;

std::int64_t count(std::span<const Sample> samples, const Group& group, Counted label) {
  if (!label) return static_cast<std::int64_t>(group.members.size());
  return std::count_if(group.members.begin(), group.members.end(), [&](std::int64_t i) {
    return samples[static_cast<std::size_t>(i)].label == *label;
  });
}

/// Assigns groups to folds, and keeps count of what each fold has.
class FoldAssigner {
 public:
  FoldAssigner(std::span<const Sample> samples, int k)
      : samples_(samples), loads_(static_cast<std::size_t>(k)), folds_(samples.size(), -1) {}

  /// Gives each group, the largest first, to the fold that has the fewest images as `first` counts
  /// them, and among equals as `second` does; then evens out.
  void assign(const std::vector<const Group*>& groups, Counted first, Counted second) {
    std::vector<Assignment> assignments;
    for (const Group* group : groups)
      assignments.push_back({group, count(samples_, *group, first), 0});
    std::stable_sort(assignments.begin(), assignments.end(), [](const auto& a, const auto& b) {
      return std::pair(a.weight, a.group->members.size()) >
             std::pair(b.weight, b.group->members.size());
    });
    for (auto& item : assignments) {
      const auto load = [&](std::size_t f) { return std::pair(at(f, first), at(f, second)); };
      for (std::size_t f = 1; f < loads_.size(); ++f) {
        if (load(f) < load(item.fold)) item.fold = f;
      }
      add(*item.group, item.fold, 1);
    }
    while (even_out(assignments, first)) {
    }
    for (const auto& item : assignments) {
      for (const auto i : item.group->members) {
        folds_[static_cast<std::size_t>(i)] = static_cast<int>(item.fold);
      }
    }
  }

  /// The fold of each sample.
  const std::vector<int>& folds() const { return folds_; }

 private:
  struct Assignment {
    const Group* group;
    std::int64_t weight;  // images as they are counted
    std::size_t fold;
  };

  std::int64_t at(std::size_t fold, Counted label) const {
    const auto found = loads_[fold].find(label);
    return found == loads_[fold].end() ? 0 : found->second;
  }
  void add(const Group& group, std::size_t fold, int sign) {
    for (const auto i : group.members) {
      loads_[fold][samples_[static_cast<std::size_t>(i)].label] += sign;
    }
    loads_[fold][std::nullopt] += sign * static_cast<std::int64_t>(group.members.size());
  }

  /// Swaps two groups of the heaviest and the lightest fold, or hands one over, so that the two
  /// come as close to each other as they can; false when they cannot come closer.
  bool even_out(std::vector<Assignment>& assignments, Counted counted) {
    std::size_t heavy = 0;
    std::size_t light = 0;
    for (std::size_t f = 1; f < loads_.size(); ++f) {
      if (at(f, counted) > at(heavy, counted)) heavy = f;
      if (at(f, counted) < at(light, counted)) light = f;
    }
    const std::int64_t gap = at(heavy, counted) - at(light, counted);
    std::map<std::int64_t, Assignment*> given;  // one group of each weight: they are all the same
    std::map<std::int64_t, Assignment*> taken{{0, nullptr}};
    for (auto& item : assignments) {
      if (item.fold == heavy) given.emplace(item.weight, &item);
      if (item.fold == light) taken.emplace(item.weight, &item);
    }
    std::int64_t closest = gap;
    Assignment* best_given = nullptr;
    Assignment* best_taken = nullptr;
    for (const auto& [more, from_heavy] : given) {
      for (const auto& [less, from_light] : taken) {
        const std::int64_t gap_after = std::abs(gap - 2 * (more - less));
        if (gap_after >= closest) continue;
        closest = gap_after;
        best_given = from_heavy;
        best_taken = from_light;
      }
    }
    const auto move = [&](Assignment* item, std::size_t to) {
      if (item == nullptr) return;
      add(*item->group, item->fold, -1);
      add(*item->group, to, 1);
      item->fold = to;
    };
    move(best_given, light);
    move(best_taken, heavy);
    return best_given != nullptr;
  }

  std::span<const Sample> samples_;
  std::vector<std::map<Counted, std::int64_t>> loads_;
  std::vector<int> folds_;
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
                            bool is_limited, const char* column, Parse parse) {
  const auto table = csv::read(path);
  const auto id_column = table.column("id");
  const auto part_column = table.column(column);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) places.emplace(samples[i].id, i);

  std::vector<int> parts(samples.size(), -1);
  std::unordered_map<std::string, int> part_of_group;
  std::size_t named = 0;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& id = table.rows[row][id_column];
    const auto fail = [&](const char* where, const std::string& problem) {
      throw InputError(path, fmt::format("row {}, column {}", table.numbers[row], where), problem);
    };
    const auto place = places.find(id);
    if (place == places.end() && is_limited) continue;
    if (place == places.end()) fail("id", fmt::format("'{}' is not in the dataset", id));
    ++named;
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
      fail(column, fmt::format("'{}' is not where the earlier images of patient {} are", id, name));
    }
  }
  if (named < samples.size()) {
    spdlog::warn("{} does not name {} of the dataset's {} images: they are left out", path.string(),
                 samples.size() - named, samples.size());
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
  std::map<int, std::vector<const Group*>> strata;
  for (const auto& group : groups) strata[group.stratum].push_back(&group);
  for (auto& [label, members] : strata) {
    SplitMix64 random(mix_seed(seed, static_cast<std::uint64_t>(label)));
    shuffle(members, random);
  }
  // The highest label first: its groups bring images of lower labels along, which the groups that
  // follow make up for. Those of the lowest label come last and make the folds equally large.
  FoldAssigner assigner(samples, k);
  for (auto stratum = strata.rbegin(); stratum != strata.rend(); ++stratum) {
    const Counted label = stratum->first;
    const bool is_lowest = std::next(stratum) == strata.rend();
    assigner.assign(stratum->second, is_lowest ? std::nullopt : label,
                    is_lowest ? label : std::nullopt);
  }
  return splits_of(assigner.folds(), k);
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
  add(split.test, "test");
  write_file(path, text);
}

Split read_split_csv(const std::filesystem::path& path, std::span<const Sample> samples,
                     bool is_limited) {
  static constexpr std::array names{"train", "validation", "test"};
  const auto parts =
      read_parts(path, samples, is_limited, "split", [](const std::string& name) -> int {
        const auto* found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
          throw Error(fmt::format("'{}' is not one of {}", name, fmt::join(names, ", ")));
        }
        return static_cast<int>(found - names.begin());
      });
  Split split;
  const std::array lists{&split.train, &split.validation, &split.test};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 0) continue;
    lists[static_cast<std::size_t>(parts[i])]->push_back(static_cast<std::int64_t>(i));
  }
  if (split.train.empty()) throw InputError(path, "column split", "no image is for training");
  if (split.validation.empty()) {
    throw InputError(path, "column split", "no image is for validation");
  }
  return split;
}

std::vector<Split> read_folds_csv(const std::filesystem::path& path,
                                  std::span<const Sample> samples, int k, bool is_limited) {
  require_folds(k);
  const auto folds = read_parts(path, samples, is_limited, "fold", [k](const std::string& text) {
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
