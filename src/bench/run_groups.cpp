#include "run_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "mpbench/bench/comparison.hpp"

namespace mpbench::bench {
namespace {

constexpr std::string_view between_remarks = "; ";

RunIdentity identity_of(const RunRecord& run) {
  return {.configuration = run.configuration,
          .model = run.model,
          .dataset = run.dataset,
          .batch_size = run.batch_size,
          .image_size = run.image_size,
          .channels_last = run.channels_last,
          .device = run.device,
          .device_name = run.device_name,
          .threads = run.threads,
          .pairing_hash = run.pairing_hash};
}

bool agree(const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; }
template <class Value>
bool agree(const std::optional<Value>& a, const std::optional<Value>& b) {
  return !a || !b || *a == *b;
}

bool agree(const RunIdentity& a, const RunIdentity& b) {
  if (!a.configuration.empty() || !b.configuration.empty()) {
    return a.configuration == b.configuration;
  }
  return agree(a.model, b.model) && agree(a.dataset, b.dataset) &&
         agree(a.batch_size, b.batch_size) && agree(a.image_size, b.image_size) &&
         agree(a.channels_last, b.channels_last) && agree(a.device, b.device) &&
         agree(a.device_name, b.device_name) && agree(a.threads, b.threads) &&
         agree(a.pairing_hash, b.pairing_hash);
}

bool same_configuration(const RunIdentity& a, const RunIdentity& b) {
  if (!a.configuration.empty() || !b.configuration.empty()) {
    return a.configuration == b.configuration;
  }
  RunIdentity other = b;
  // Runs of earlier versions have no hash.
  if (a.pairing_hash.empty() || b.pairing_hash.empty()) other.pairing_hash = a.pairing_hash;
  return a == other;
}

/// Bytes of an error kept in a note; runs.csv has all of it.
constexpr std::size_t max_reason = 120;

/// The seed and the repeat.
using PairKey = std::pair<std::uint64_t, std::int64_t>;
using RunsByRepeat = std::map<PairKey, const RunRecord*>;

const std::string& arm_of(const RunRecord& run) {
  return run.arm.empty() ? run.precision : run.arm;
}

RunsByRepeat runs_by_repeat(const RunGroup& group, const std::string& arm) {
  RunsByRepeat runs;
  for (const RunRecord* run : group.runs) {
    if (arm_of(*run) != arm) continue;
    // A comparison's null arm has other seeds than the baseline.
    const std::uint64_t seed = run->configuration.empty() ? run->seed.value_or(0) : 0;
    const RunRecord*& kept = runs[{seed, run->repeat.value_or(0)}];
    if (kept == nullptr || run->status == RunStatus::ok || kept->status != RunStatus::ok) {
      kept = run;
    }
  }
  return runs;
}

const RunRecord* find_ok(const RunsByRepeat& runs, const PairKey& key) {
  const auto found = runs.find(key);
  if (found == runs.end() || found->second->status != RunStatus::ok) return nullptr;
  return found->second;
}

void note_excluded(const RunsByRepeat& runs, const RunsByRepeat& partners, Notes& notes) {
  for (const auto& [key, run] : runs) {
    if (run->status != RunStatus::ok) {
      const std::string reason = run->error.empty() ? "" : ": " + run->error.substr(0, max_reason);
      notes.add(fmt::format("left out: {} ({}{})", run->run_id, enum_name(run->status), reason));
    } else if (find_ok(partners, key) == nullptr) {
      notes.add(fmt::format("left out: {} (its partner has no result)", run->run_id));
    }
  }
}

std::vector<const RunRecord*> all_of(const RunsByRepeat& runs) {
  std::vector<const RunRecord*> all;
  for (const auto& [key, run] : runs) all.push_back(run);
  return all;
}

}  // namespace

std::vector<std::string> remarks_of(const std::string& note) {
  std::vector<std::string> remarks;
  for (std::size_t begin = 0; begin < note.size();) {
    const std::size_t end = std::min(note.find(between_remarks, begin), note.size());
    if (end > begin) remarks.push_back(note.substr(begin, end - begin));
    begin = end + between_remarks.size();
  }
  return remarks;
}

void Notes::add(const std::string& remark) {
  // A run's note may be several remarks, of which its partner has some as well.
  for (std::string& each : remarks_of(remark)) {
    if (std::find(remarks_.begin(), remarks_.end(), each) == remarks_.end()) {
      remarks_.push_back(std::move(each));
    }
  }
}

std::string Notes::text() const { return fmt::format("{}", fmt::join(remarks_, between_remarks)); }

std::optional<std::uint64_t> RunGroup::seed() const {
  std::optional<std::uint64_t> seed;
  for (const RunRecord* run : runs) {
    if (!run->seed) continue;
    if (seed && *seed != *run->seed) return std::nullopt;
    seed = run->seed;
  }
  return seed;
}

std::vector<GroupArm> RunGroup::arms(const std::string& baseline_precision) const {
  std::vector<GroupArm> arms;
  for (const RunRecord* run : runs) {
    const auto known = std::find_if(arms.begin(), arms.end(),
                                    [&](const GroupArm& arm) { return arm.name == arm_of(*run); });
    if (known != arms.end()) continue;
    GroupArm& arm = arms.emplace_back();
    arm.name = arm_of(*run);
    arm.precision = run->precision;
    const bool is_baseline = run->precision == baseline_precision;
    arm.kind = run->arm_kind.value_or(is_baseline ? ArmKind::baseline : ArmKind::arm);
    arm.compared_with = run->configuration.empty() ? baseline_precision : run->compared_with;
  }
  // An arm may first appear late, where none of its runs came through.
  std::stable_partition(arms.begin(), arms.end(),
                        [](const GroupArm& arm) { return arm.kind != ArmKind::null; });
  return arms;
}

std::vector<RunGroup> group_runs(std::span<const RunRecord> runs) {
  std::vector<RunGroup> groups;
  const auto place = [&](const RunRecord& run, auto&& belongs) {
    const RunIdentity identity = identity_of(run);
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const RunGroup& group) {
      return belongs(group.identity, identity);
    });
    if (found != groups.end()) {
      found->runs.push_back(&run);
    } else {
      groups.push_back({.identity = identity, .runs = {&run}});
    }
  };
  for (const RunRecord& run : runs) {
    if (run.status == RunStatus::ok) place(run, same_configuration);
  }
  for (const RunRecord& run : runs) {
    if (run.status != RunStatus::ok) {
      place(run, [](const RunIdentity& a, const RunIdentity& b) { return agree(a, b); });
    }
  }
  return groups;
}

Pairing pair_runs(const RunGroup& group, const std::string& baseline_name,
                  const std::string& arm_name, Notes& notes) {
  const RunsByRepeat baseline = runs_by_repeat(group, baseline_name);
  const RunsByRepeat arm = runs_by_repeat(group, arm_name);
  Pairing pairing;
  for (const auto& [key, run] : baseline) {
    if (run->status != RunStatus::ok) continue;
    pairing.baseline_ok = true;
    if (const RunRecord* partner = find_ok(arm, key)) pairing.pairs.push_back({run, partner});
  }
  for (const auto& [key, run] : arm) {
    if (run->status == RunStatus::diverged) ++pairing.arm_diverged;
  }
  for (const Pair& pair : pairing.pairs) {
    pairing.baseline_runs.push_back(pair.baseline);
    pairing.arm_runs.push_back(pair.arm);
  }
  if (pairing.pairs.empty()) {
    pairing.baseline_runs = all_of(baseline);
    pairing.arm_runs = all_of(arm);
  }
  if (baseline.empty()) notes.add(fmt::format("no {} run to compare with", baseline_name));
  note_excluded(baseline, arm, notes);
  note_excluded(arm, baseline, notes);
  return pairing;
}

}  // namespace mpbench::bench
