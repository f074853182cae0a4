#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mpbench/core/error.hpp"

/// The names of an enum's values, in one table that flags, help, config.toml, CSV files and
/// messages all read.
namespace mpbench {

/// "a, b or c".
std::string or_list(const std::vector<std::string>& names);

template <class E>
struct EnumName {
  E value;
  std::string_view name;
};

/// To be specialised beside each enum that users see, with every value in the order in which help
/// and messages list them:
///
///     template <>
///     inline constexpr auto mpbench::enum_names<E> =
///         std::to_array<mpbench::EnumName<E>>({{E::a, "a"}, {E::b, "b"}});
template <class E>
inline constexpr std::nullptr_t enum_names = nullptr;

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires {
  enum_names<E>.size();
};

/// The name of a value; empty for a value that is not in the table.
template <NamedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& entry : enum_names<E>) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

/// The value of a name; nothing for an unknown name.
template <NamedEnum E>
constexpr std::optional<E> find_enum(std::string_view name) {
  for (const auto& entry : enum_names<E>) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

/// All names, in the order of the table.
template <NamedEnum E>
std::vector<std::string> enum_name_list() {
  std::vector<std::string> names;
  for (const auto& entry : enum_names<E>) names.emplace_back(entry.name);
  return names;
}

/// All names as text: "a, b or c".
template <NamedEnum E>
std::string enum_choices() {
  return or_list(enum_name_list<E>());
}

/// The value of an option's text. Throws UsageError "OPTION TEXT: choose A, B or C" for an unknown
/// name.
template <NamedEnum E>
E parse_enum(std::string_view text, std::string_view option) {
  if (const auto value = find_enum<E>(text)) return *value;
  throw UsageError(fmt::format("{} {}: choose {}", option, text, enum_choices<E>()));
}

}  // namespace mpbench
