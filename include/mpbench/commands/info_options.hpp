#pragma once

namespace mpbench::commands {

/// What `mpbench info` is told.
struct InfoOptions {
  bool json = false;
  bool measure = false;  ///< how fast each device multiplies and copies
};

}  // namespace mpbench::commands
