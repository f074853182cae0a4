#include "mpbench/core/malloc_tuning.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

namespace mpbench {
namespace {

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// Faults of taking, touching and freeing 64 MiB once more.
long faults_again() {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  long faults = 0;
  for (int i = 0; i < 2; ++i) {
    const long before = page_faults();
    void* const block = std::malloc(bytes);
    std::memset(block, i + 1, bytes);
    const volatile char seen = static_cast<char*>(block)[bytes / 2];
    (void)seen;
    std::free(block);
    faults = page_faults() - before;
  }
  return faults;
}

TEST(MallocTuningTest, FreedMemoryIsUsedAgain) {
#if !defined(__GLIBC__) || defined(MPBENCH_SANITIZED)
  GTEST_SKIP() << "not glibc's allocator";
#else
  tune_malloc();
  EXPECT_LT(faults_again(), 1000) << "of 16384 pages";
#endif
}

}  // namespace
}  // namespace mpbench
