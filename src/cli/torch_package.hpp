#pragma once

namespace mpbench::cli {

/// Loads LibTorch from the first of these that is there: MPBENCH_LIBTORCH, the one that this
/// program was linked with, the torch package beside mpbench's own, the one that Python imports,
/// and what the loader finds. Throws Error where there is none, or one of a version whose C++
/// functions are others than this program was compiled for.
void load_torch();

}  // namespace mpbench::cli
