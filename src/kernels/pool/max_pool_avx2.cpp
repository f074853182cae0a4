#include "max_pool_simd.hpp"
