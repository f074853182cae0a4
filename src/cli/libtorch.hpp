#pragma once

namespace mpbench::cli {

/// Loads the LibTorch of libtorch_folder(), where that knows one, before the engine asks for it.
/// Throws Error where it is not there, or of another version than the one that mpbench was built
/// for: what goes wrong then is an undefined symbol at best.
void load_libtorch();

}  // namespace mpbench::cli
