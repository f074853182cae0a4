#pragma once

#include <cstddef>

namespace mpbench {

/// Columns of the terminal on stderr; 80 where it is none.
std::size_t terminal_width();
/// Whether stderr takes colours: a terminal, and NO_COLOR is not set (https://no-color.org).
bool terminal_colours();

}  // namespace mpbench
