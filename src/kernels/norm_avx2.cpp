#include "norm_loops.hpp"
