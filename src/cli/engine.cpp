#include "engine.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "mpbench/commands/engine.hpp"
#include "mpbench/core/openmp_waiting.hpp"

namespace mpbench::cli {
namespace {

[[noreturn]] void fail() {
  const char* cause = dlerror();
  throw Error(fmt::format("cannot load the part of mpbench that computes: {}",
                          cause == nullptr ? "unknown error" : cause));
}

}  // namespace

ExitCode run_in_engine(const commands::Request& request) {
  set_openmp_wait_policy();
  // Found by the program's run path: beside it where it was built, in lib/ where installed. Lazy,
  // as libraries are at a program's start: LibTorch's many symbols are bound as they are called.
  void* library = dlopen(MPBENCH_ENGINE_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) fail();
  const auto run =
      reinterpret_cast<commands::EngineFunction>(dlsym(library, commands::engine_function_symbol));
  if (run == nullptr) fail();
  return static_cast<ExitCode>(run(request));
}

}  // namespace mpbench::cli
