#pragma once

#include <filesystem>

namespace mpbench::cli {

/// The folder of the running program: what belongs to it lies beside it in the build folder, and in
/// ../lib and ../share where installed, from a wheel too.
inline std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace mpbench::cli
