#pragma once

namespace mpbench::commands {

/// What `mpbench info` is told.
struct InfoOptions {
  bool json = false;
};

}  // namespace mpbench::commands
