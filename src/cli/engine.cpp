#include "engine.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "dicom_dictionary.hpp"
#include "mpbench/commands/engine.hpp"
#include "mpbench/core/openmp_waiting.hpp"
#include "torch_package.hpp"

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
  set_dicom_dictionary();
  load_torch();
  // Found by the program's run path: beside it where it was built, in lib/ where installed.
  void* library = dlopen(MPBENCH_ENGINE_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) fail();
  const auto run =
      reinterpret_cast<commands::EngineFunction>(dlsym(library, commands::engine_function_symbol));
  if (run == nullptr) fail();
  return static_cast<ExitCode>(run(request));
}

}  // namespace mpbench::cli
