#include "mpbench/core/report_errors.hpp"

#include <spdlog/spdlog.h>

#include <new>
#include <string_view>

namespace mpbench {

ExitCode report_errors(const std::function<ExitCode()>& work) {
  const auto fail = [](ExitCode code, std::string_view message) {
    spdlog::error("{}", message);
    return code;
  };
  try {
    return work();
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

}  // namespace mpbench
