#include "command_line.hpp"
#include "engine.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/report_errors.hpp"

using namespace mpbench;

int main(int argc, char** argv) {
  commands::Request request;
  start_logging(request.shared.log_level, request.shared.quiet);
  return static_cast<int>(report_errors([&] {
    cli::CommandLine command(request);
    if (const auto answered = command.parse(argc, argv)) return *answered;
    return cli::run_in_engine(request);
  }));
}
