#pragma once

#include <array>
#include <cstdint>

#include "mpbench/core/progress.hpp"
#include "mpbench/synth/synthetic_options.hpp"

namespace mpbench::synth {

/// What was written.
struct SyntheticSetSummary {
  int patients = 0;
  int breasts = 0;
  int positive_breasts = 0;
  int images = 0;
  int positive_images = 0;
  /// Images in each syntax, in the order of SyntheticSyntax without `mixed`.
  std::array<int, 4> images_by_syntax{};
  /// JPEG 2000 images whose frame is wrapped in a JP2 file, as RSNA's are.
  int jp2_wrapped = 0;
  std::uintmax_t bytes = 0;
};

/// Writes `train.csv` and `train_images/<patient_id>/<image_id>.dcm` as RSNA lays them out, and
/// `synthetic.json` that says how the set was made. The same options give the same bytes. train.csv
/// comes last: a folder without it is not whole. An earlier synthetic set in the same folder is
/// replaced. Throws UsageError for an option out of range, Error for a folder that holds anything
/// else or cannot be written, Interrupted after Ctrl-C.
SyntheticSetSummary write_synthetic_set(const SyntheticSetOptions& options,
                                        const ProgressFunction& progress = {});

}  // namespace mpbench::synth
