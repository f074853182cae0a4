#pragma once

#include <string>
#include <vector>

namespace mpbench::commands {

/// What `mpbench decode` is told.
struct DecodeOptions {
  std::vector<std::string> files;
  std::string stage = "stored";  ///< stored, modality or display
  bool digest = false;
  std::string out;  ///< empty: write nothing
  int frame = -1;   ///< -1: all
};

}  // namespace mpbench::commands
