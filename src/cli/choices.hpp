#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::cli {

/// A flag that takes one of an enum's names into `value`, which is an E or an optional E.
template <NamedEnum E, class Value>
CLI::Option* add_choice(CLI::App& command, const std::string& flag, Value& value,
                        const std::string& help) {
  return command
      .add_option_function<std::string>(
          flag, [&value](const std::string& name) { value = find_enum<E>(name).value(); }, help)
      ->check(CLI::IsMember(enum_name_list<E>()));
}

}  // namespace mpbench::cli
