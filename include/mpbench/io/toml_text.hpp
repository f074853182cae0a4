#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/precision.hpp"

namespace mpbench {

/// A value as TOML has it (toml.io, version 1.0): quoted strings, the shortest decimal that reads
/// back as the same double, lists in brackets.
std::string toml_text(bool value);
std::string toml_text(double value);
std::string toml_text(int value);
std::string toml_text(std::int64_t value);
std::string toml_text(std::uint64_t value);
std::string toml_text(std::string_view value);
// Without it a literal would become a bool.
inline std::string toml_text(const char* value) { return toml_text(std::string_view(value)); }
inline std::string toml_text(const std::string& value) {
  return toml_text(std::string_view(value));
}
inline std::string toml_text(const std::filesystem::path& value) {
  return toml_text(value.string());
}
inline std::string toml_text(Precision value) { return toml_text(to_string(value)); }
template <NamedEnum E>
std::string toml_text(E value) {
  return toml_text(enum_name(value));
}

template <class Value>
std::string toml_text(const std::vector<Value>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i > 0 ? ", " : "") + toml_text(values[i]);
  return text + "]";
}

/// "name = value\n"
template <class Value>
std::string toml_line(std::string_view name, const Value& value) {
  return std::string(name) + " = " + toml_text(value) + "\n";
}

/// The values that toml_line has written, by their names, as they stand there. Other lines are
/// passed over.
std::map<std::string, std::string> toml_lines(std::string_view text);

}  // namespace mpbench
