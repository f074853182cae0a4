#pragma once

#include <filesystem>
#include <string>

namespace mpbench {

/// Sends the log to stderr from a level on: "trace", "debug", "info", "warning" or "error"; with
/// `quiet` warnings and errors only.
void start_logging(const std::string& level, bool quiet);

/// Writes the log into a file as well, with time stamps, appending.
void add_log_file(const std::filesystem::path& path);

}  // namespace mpbench
