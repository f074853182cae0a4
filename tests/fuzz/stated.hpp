#pragma once

#include <cstdio>
#include <cstdlib>

namespace mpbench::fuzz {

/// Ends the process, which a fuzzer takes for a finding, unless what a header states holds.
/// (Not std::source_location, which clang 14 lacks.)
inline void stated(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: a header states otherwise\n", file, line);
  std::abort();
}

}  // namespace mpbench::fuzz
