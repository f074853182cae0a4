#include "command_line.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/report_errors.hpp"

using namespace mpbench;

int main(int argc, char** argv) {
  cli::SharedOptions shared;
  start_logging(shared.log_level, shared.quiet);
  return static_cast<int>(report_errors([&] {
    install_interrupt_handler();
    cli::CommandLine command(shared);
    if (const auto help_or_wrong_usage = command.parse(argc, argv)) return *help_or_wrong_usage;
    start_logging(shared.log_level, shared.quiet);
    return command.run();
  }));
}
