#pragma once

namespace mpbench::kernels {

/// From now on freed memory stays in this process, to be used again, instead of going back to the
/// kernel. LibTorch has no caching allocator on the CPU: with glibc's defaults each step maps its
/// activations anew, and the page faults take a third of an EfficientNet's step. The resident set
/// stays at its peak between steps; the peak itself is that of the step. Call it once, before the
/// first large allocation; it does nothing without glibc.
void keep_freed_memory();

}  // namespace mpbench::kernels
