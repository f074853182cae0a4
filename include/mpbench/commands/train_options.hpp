#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mpbench/train/config.hpp"

namespace mpbench::commands {

/// What `mpbench train` is told.
struct TrainOptions {
  train::TrainConfig config;
  bool amp = false;           ///< the device's own mixed precision, in place of config.precision
  std::filesystem::path out;  ///< empty: a folder of this moment
  std::string run_id;         ///< empty: made of model and precision
  std::int64_t repeat = 1;
  bool resume = false;
  std::filesystem::path resume_from;  ///< empty: none
};

}  // namespace mpbench::commands
