#include "mpbench/io/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mpbench {

std::string toml_text(bool value) { return value ? "true" : "false"; }

std::string toml_text(double value) {
  std::string text = fmt::format("{}", value);
  // A bare "3" would read back as an integer.
  if (text.find_first_of(".einf") == std::string::npos) text += ".0";
  return text;
}

std::string toml_text(int value) { return fmt::format("{}", value); }
std::string toml_text(std::int64_t value) { return fmt::format("{}", value); }
std::string toml_text(std::uint64_t value) { return fmt::format("{}", value); }

std::string toml_text(std::string_view value) {
  // A JSON string is a TOML basic string: the same quotes and escapes.
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::map<std::string, std::string> toml_lines(std::string_view text) {
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find(" = ");
    if (equals != line.npos) values[std::string(line.substr(0, equals))] = line.substr(equals + 3);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

}  // namespace mpbench
