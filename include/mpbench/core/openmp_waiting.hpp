#pragma once

#include <string>

namespace mpbench {

/// Makes OpenMP's threads sleep soon where they wait for one another (OMP_WAIT_POLICY=passive, and
/// in libgomp GOMP_SPINCOUNT=2000: about 50 microseconds later), unless the user has set one of the
/// two. By default they spin for milliseconds, and take the processor from whatever else runs:
/// beside a busy neighbour a training step takes 1.3 to 2 times as long. In quiet, threads that
/// sleep at once make a step 4 % longer than those that spin (docs/performance.md).
///
/// libgomp reads the environment as it is loaded: call it before LibTorch, which brings one, is.
void set_openmp_wait_policy();

/// How they wait in this process, for runs.csv: OMP_WAIT_POLICY's value, and "spincount N" where
/// GOMP_SPINCOUNT is set, which has precedence in libgomp; empty where neither is set.
std::string openmp_wait_policy();

}  // namespace mpbench
