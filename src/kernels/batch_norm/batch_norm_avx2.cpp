#include "batch_norm_simd.hpp"
