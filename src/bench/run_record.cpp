#include "mpbench/bench/run_record.hpp"

#include <fmt/format.h>

#include <iterator>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

constexpr std::string_view status_names[] = {"ok", "oom", "diverged", "failed", "interrupted"};

}  // namespace

std::string_view to_string(RunStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}

RunStatus parse_run_status(std::string_view text) {
  for (std::size_t i = 0; i < std::size(status_names); ++i) {
    if (status_names[i] == text) return static_cast<RunStatus>(i);
  }
  throw Error(fmt::format("'{}' is no run status (ok, oom, diverged, failed, interrupted)", text));
}

}  // namespace mpbench::bench
