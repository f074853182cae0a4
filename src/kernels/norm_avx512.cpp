#define MPBENCH_LANES_AVX512
#include "norm_loops.hpp"
