#include "backward_simd.hpp"
