#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <new>

#include "command_line.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "terminal.hpp"

using namespace mpbench;

int main(int argc, char** argv) {
  const auto fail = [](ExitCode code, std::string_view message) {
    spdlog::error("{}", message);
    return static_cast<int>(code);
  };
  cli::SharedOptions shared;
  cli::start_logging(shared);
  try {
    install_interrupt_handler();
    cli::CommandLine command(shared);
    if (const auto help_or_wrong_usage = command.parse(argc, argv))
      return static_cast<int>(*help_or_wrong_usage);
    cli::start_logging(shared);
    return static_cast<int>(command.run());
  } catch (const UsageError& error) {
    return fail(ExitCode::usage, error.what());
  } catch (const Interrupted&) {
    return fail(ExitCode::interrupted, "interrupted; what was finished is kept");
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::error, "out of memory");
  } catch (const std::exception& error) {
    // A library's message may go on with a backtrace: its first line says what happened.
    const std::string_view message = error.what();
    return fail(ExitCode::error, message.substr(0, message.find('\n')));
  }
}
