#include "command_line.hpp"
#include "mpbench/commands/run.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/report_errors.hpp"

using namespace mpbench;

int main(int argc, char** argv) {
  commands::Request request;
  start_logging(request.shared.log_level, request.shared.quiet);
  return static_cast<int>(report_errors([&] {
    install_interrupt_handler();
    cli::CommandLine command(request);
    if (const auto answered = command.parse(argc, argv)) return *answered;
    start_logging(request.shared.log_level, request.shared.quiet);
    return commands::run(request);
  }));
}
