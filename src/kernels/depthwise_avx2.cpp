#include "depthwise_loops.hpp"
