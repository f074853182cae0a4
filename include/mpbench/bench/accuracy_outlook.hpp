#pragma once

#include <string>

#include "mpbench/bench/config_hashes.hpp"

namespace mpbench::bench {

/// What a comparison of accuracy can decide, in one line, before anything is trained: "8 positive
/// ... a loss of AUC below about 0.13 cannot be excluded; margin 0.01 needs ...". By
/// stats::smallest_provable_margin with its defaults. Empty with more than two classes.
std::string accuracy_outlook(const ValidationPatients& patients, int trainings, double margin,
                             double confidence);

}  // namespace mpbench::bench
