#pragma once

namespace mpbench {

/// From here on, what this process frees stays with it for its next allocation, instead of going
/// back to the operating system: glibc maps every large block anew, and a training step's
/// activations then cost a page fault for each 4 KiB in every step (a third of an EfficientNet-B0
/// step in float32). Call it once, before the first large allocation. No effect but with glibc.
void tune_malloc();

}  // namespace mpbench
