#pragma once

#include <string>

namespace mpbench {

/// Makes OpenMP's threads sleep where they wait for one another, as OMP_WAIT_POLICY=passive does,
/// unless the user has set that or GOMP_SPINCOUNT. By default they spin, and take the processor
/// from whatever else runs: beside a busy neighbour a training step takes 1.3 to 2 times as long as
/// with sleeping threads, and on a quiet machine sleeping costs nothing.
///
/// libgomp reads the environment as it is loaded: call it before LibTorch, which brings one, is.
void set_openmp_wait_policy();

/// How they wait in this process, for runs.csv: OMP_WAIT_POLICY's value, or "spincount N" where
/// GOMP_SPINCOUNT says so, which has precedence; empty where neither is set.
std::string openmp_wait_policy();

}  // namespace mpbench
