#define MPBENCH_LANES_AVX512
#include "batch_norm_simd.hpp"
