#include <fmt/format.h>

#include <string>

#include "../process.hpp"
#include "mpbench/bench/arm_process.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::bench {

std::filesystem::path find_mpbench(const std::filesystem::path& program) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::canonical(program, error);
  if (error) throw Error(fmt::format("--with {}: {}", program.string(), error.message()));
  std::string answer;
  try {
    run_process({.argv = {path.string(), "--version"},
                 .on_line = [&](std::string_view line) { answer += line; }});
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& cause) {
    throw Error(fmt::format("--with {}: {}", program.string(), cause.what()));
  }
  if (!answer.starts_with("mpbench ")) {
    throw Error(fmt::format("--with {}: is not mpbench", program.string()));
  }
  return path;
}

}  // namespace mpbench::bench
