#pragma once

#include "mpbench/synth/synthetic_options.hpp"

namespace mpbench::commands {

/// What `mpbench synth` is told.
struct SynthOptions {
  synth::SyntheticSetOptions set;
};

}  // namespace mpbench::commands
