#pragma once

#include "mpbench/train/trainer.hpp"

namespace mpbench::train {

/// Trains the next epoch, or what is left of this one, in one block.
inline EpochResult train_epoch(Trainer& trainer, const ProgressFunction& progress = {}) {
  static_cast<void>(trainer.train_steps(Trainer::all_steps, progress));
  return trainer.finish_epoch();
}
inline EpochResult train_epoch(Trainer&& trainer) { return train_epoch(trainer); }

}  // namespace mpbench::train
