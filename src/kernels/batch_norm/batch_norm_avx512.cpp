#define MPBENCH_SIMD_AVX512
#include "batch_norm_simd.hpp"
