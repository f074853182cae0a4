#define MPBENCH_SIMD_AVX512
#include "max_pool_simd.hpp"
