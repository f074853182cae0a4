#pragma once

#include <filesystem>

#include "mpbench/data/dataset_options.hpp"

namespace mpbench::commands {

/// What `mpbench preprocess` is told.
struct PreprocessOptions {
  data::DatasetOptions data;
  int image_size = 0;  ///< height and width; 0: as `data` says
  int pixel_bits = 8;
  std::filesystem::path contact_sheet;  ///< empty: none
};

}  // namespace mpbench::commands
