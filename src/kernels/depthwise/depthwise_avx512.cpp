#define MPBENCH_SIMD_AVX512
#include "backward_simd.hpp"
