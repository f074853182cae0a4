#pragma once

#include <cstddef>
#include <filesystem>

#include "subcommands.hpp"

namespace mpbench::cli {

/// Columns of the terminal on stderr; 80 where it is none.
std::size_t terminal_width();
/// Whether stderr takes colours: a terminal, and NO_COLOR is not set (https://no-color.org).
bool terminal_colours();

/// Sends the log to stderr, at the level that the options ask for.
void start_logging(const SharedOptions& shared);
/// Writes the log into a file as well, with time stamps, appending.
void add_log_file(const std::filesystem::path& path);

/// "1:02:03", "2:03" or "4 s".
std::string format_duration(double seconds);

}  // namespace mpbench::cli
