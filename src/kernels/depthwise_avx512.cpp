#define MPBENCH_LANES_AVX512
#include "depthwise_loops.hpp"
