#define MPBENCH_LANES_AVX512
#include "pool_loops.hpp"
