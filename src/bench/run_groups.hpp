#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/run_record.hpp"

namespace mpbench::bench {

/// Remarks in the order made, each once.
class Notes {
 public:
  /// One remark, or several joined by "; ". An empty one is none.
  void add(const std::string& remark);
  /// All of them, joined by "; ".
  std::string text() const;

 private:
  std::vector<std::string> remarks_;
};

/// One of the arms of a group.
struct GroupArm {
  std::string name;
  ArmKind kind = ArmKind::arm;
  std::string compared_with;
  std::string precision;
};

/// What runs have in common when only the arm, the seed and the repeat differ.
struct RunIdentity {
  std::string configuration;  ///< empty where the run does not know; else it alone counts
  std::string model;
  std::string dataset;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> image_size;
  std::optional<bool> channels_last;
  std::string device;
  std::string device_name;
  std::optional<std::int64_t> threads;
  std::string pairing_hash;  ///< empty in runs of earlier versions

  bool operator==(const RunIdentity&) const = default;
};

struct RunGroup {
  RunIdentity identity;
  std::vector<const RunRecord*> runs;
  /// The seed, where all have the same.
  std::optional<std::uint64_t> seed() const;
  /// The arms in the order in which they first appear. A run that does not know its arm is of that
  /// of its precision.
  std::vector<GroupArm> arms(const std::string& baseline_precision) const;
};

/// Groups in the order of their first ok run. A run that failed may not know all of its identity
/// (the device's name, the image size): it joins the first group that it does not contradict. Runs
/// that differ in any other option that bears on the result are not of one group.
std::vector<RunGroup> group_runs(std::span<const RunRecord> runs);

struct Pair {
  const RunRecord* baseline = nullptr;
  const RunRecord* arm = nullptr;
};

/// The runs of one arm and the baseline.
struct Pairing {
  std::vector<Pair> pairs;  ///< both ok, in the order of seeds and repeats
  /// The paired runs; without any pair, all there are.
  std::vector<const RunRecord*> baseline_runs;
  std::vector<const RunRecord*> arm_runs;
  bool baseline_ok = false;  ///< any run of the baseline is, paired or not
  int arm_diverged = 0;
};

/// Pairs by repeat, and by seed where the runs do not know their configuration. Of several runs of
/// one repeat the last ok one counts (a comparison that was resumed), else the last. What is left
/// out is added to the notes, by id and status.
Pairing pair_runs(const RunGroup& group, const std::string& baseline_name,
                  const std::string& arm_name, Notes& notes);

}  // namespace mpbench::bench
