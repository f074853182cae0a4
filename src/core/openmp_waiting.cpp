#include "mpbench/core/openmp_waiting.hpp"

#include <cstdlib>

namespace mpbench {
namespace {

constexpr auto policy_variable = "OMP_WAIT_POLICY";
constexpr auto spin_variable = "GOMP_SPINCOUNT";

}  // namespace

void set_openmp_wait_policy() {
  if (std::getenv(spin_variable) != nullptr) return;
  ::setenv(policy_variable, "passive", /*overwrite=*/0);
}

std::string openmp_wait_policy() {
  if (const char* count = std::getenv(spin_variable)) return std::string("spincount ") + count;
  const char* policy = std::getenv(policy_variable);
  return policy == nullptr ? "" : policy;
}

}  // namespace mpbench
