#include "mpbench/core/openmp_waiting.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace mpbench {
namespace {

constexpr auto policy_variable = "OMP_WAIT_POLICY";
constexpr auto spin_variable = "GOMP_SPINCOUNT";

}  // namespace

void set_openmp_wait_policy() {
  if (std::getenv(policy_variable) != nullptr || std::getenv(spin_variable) != nullptr) return;
  ::setenv(policy_variable, "passive", /*overwrite=*/0);
  ::setenv(spin_variable, "2000", /*overwrite=*/0);
}

std::string openmp_wait_policy() {
  const char* policy = std::getenv(policy_variable);
  const char* count = std::getenv(spin_variable);
  std::string text = policy == nullptr ? "" : policy;
  if (count != nullptr) text += fmt::format("{}spincount {}", text.empty() ? "" : ", ", count);
  return text;
}

}  // namespace mpbench
