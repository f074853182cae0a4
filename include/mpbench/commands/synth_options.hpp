#pragma once

#include "mpbench/dicom/synthetic_options.hpp"

namespace mpbench::commands {

/// What `mpbench synth` is told.
struct SynthOptions {
  dicom::SyntheticSetOptions set;
};

}  // namespace mpbench::commands
