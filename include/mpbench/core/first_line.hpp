#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace mpbench {

/// The first line of a text that says anything. Messages of libraries, CUDA's above all, go on with
/// advice and a backtrace.
inline std::string first_line(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
  text = text.substr(0, text.find('\n'));
  return std::string(text.substr(0, text.find_last_not_of(blank) + 1));
}

}  // namespace mpbench
