#include "mpbench/commands/engine.hpp"

#include <type_traits>

#include "../run.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/report_errors.hpp"

using namespace mpbench;

extern "C" [[gnu::visibility("default")]] int mpbench_run(const commands::Request& request) {
  // In here, not in the program: the library has a copy of its own of what core keeps in variables,
  // such as the interrupt's flag.
  start_logging(request.shared.log_level, request.shared.quiet);
  install_interrupt_handler();
  return static_cast<int>(report_errors([&] { return commands::run(request); }));
}

static_assert(std::is_same_v<commands::EngineFunction, decltype(&mpbench_run)>);
