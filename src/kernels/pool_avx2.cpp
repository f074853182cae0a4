#include "pool_loops.hpp"
