#include "mpbench/core/report_errors.hpp"

#include <spdlog/spdlog.h>

#include <new>
#include <string_view>

#include "mpbench/core/first_line.hpp"

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
    return fail(ExitCode::error, first_line(error.what()));
  }
}

}  // namespace mpbench
