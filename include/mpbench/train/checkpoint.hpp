#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace mpbench::train {

/// All that a run needs to go on as if it had never stopped, or that a prediction needs.
///
/// On disk it is one safetensors file. The network's parameters and buffers have their own names
/// ("layer1.0.conv1.weight"), so that it is a weights file too; everything else has a name with a
/// slash: "optimizer/exp_avg.0", "ema/…", "rng/cpu".
struct Checkpoint {
  std::map<std::string, torch::Tensor> tensors;
  nlohmann::json state;
};

/// A checkpoint and the file that it was read from.
struct KeptState {
  Checkpoint checkpoint;
  std::filesystem::path path;
};

/// Writes it whole or not at all, with a digest over every byte of it.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads it into memory of its own. Throws InputError naming what is wrong: no such file, not a
/// checkpoint, damaged (the digest differs), of another version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The checkpoints of one run: the last state, the one before it, and the best by the run's metric.
/// They share the disk's blocks where the file system has hard links, and are copies elsewhere.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path last() const { return folder_ / "last.safetensors"; }
  std::filesystem::path previous() const { return folder_ / "previous.safetensors"; }
  std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  /// The best after a complete epoch, where best() is from within the last one, which --steps cut.
  std::filesystem::path best_of_complete_epochs() const {
    return folder_ / "best-complete.safetensors";
  }

  /// Whether a run has left a state here.
  bool holds_any() const;
  /// Writes the new last state; the one that it replaces becomes the previous one. At every moment
  /// there is a whole last state.
  void save(const Checkpoint& checkpoint) const;
  /// Makes the last state the best one too.
  void mark_best() const;
  /// The same for a state within an epoch: the best so far is kept, as a longer run will finish the
  /// epoch and compare with that.
  void mark_best_within_epoch() const;
  /// Makes best() the state after such an epoch, the best so far, where it is not: a run may have
  /// been killed between save() and mark_best(), or goes on from `state`, which may lie elsewhere.
  /// False where none of the states is it.
  bool restore_best(int epoch, const std::filesystem::path& state) const;
  /// The last state; nothing where there is none. Throws InputError when it is damaged, saying
  /// where the one before it is.
  std::optional<Checkpoint> load_last() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace mpbench::train
