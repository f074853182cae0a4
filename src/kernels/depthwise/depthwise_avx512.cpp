#define MPBENCH_LANES_AVX512
#include "backward_simd.hpp"
