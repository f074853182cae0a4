#pragma once

#include "mpbench/core/error.hpp"

namespace mpbench::train {

/// Training broke down: a loss, a weight or an output of the network that is not a finite number,
/// a loss scale that fell to 0, or no step taken for long. The message names the step.
class Diverged : public Error {
 public:
  using Error::Error;
};

/// Memory ran out, on the device or here. The message names the step and the batch.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

}  // namespace mpbench::train
