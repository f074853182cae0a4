#include "mpbench/kernels/heap.hpp"

#include <cstdlib>  // defines __GLIBC__

#if defined(__GLIBC__)
#include <malloc.h>

#include <limits>
#endif

namespace mpbench::kernels {

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  // One heap for all threads: what a worker frees, the step's thread can take.
  mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace mpbench::kernels
