#define MPBENCH_LANES_AVX512
#include "max_pool_simd.hpp"
