#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace mpbench {

/// Where a long piece of work stands. Whoever works reports; whoever called decides how it looks.
struct Progress {
  std::string label;       ///< what is being done: "epoch 2/5", "decode"
  std::int64_t done = 0;   ///< units finished
  std::int64_t total = 0;  ///< units in all; 0 when unknown
  double units_per_s = 0;  ///< recent rate
  std::string unit;        ///< what a unit is: "images", "files"
  std::string detail;      ///< more for a person: "loss 0.431"
};

using ProgressFunction = std::function<void(const Progress&)>;

}  // namespace mpbench
