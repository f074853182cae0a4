#include "mpbench/train/options_json.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include "mpbench/core/error.hpp"
#include "mpbench/io/json_text.hpp"

namespace mpbench::train {
namespace {

using Json = nlohmann::json;

template <class Value>
Json to_json_value(const Value& value) {
  if constexpr (std::is_same_v<Value, Precision>) {
    return std::string(to_string(value));
  } else if constexpr (NamedEnum<Value>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
    return value.string();
  } else {
    return value;
  }
}

/// The same value as on the command line.
template <class Value>
std::string command_line_text(const Json& value) {
  constexpr bool is_number = std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>;
  if constexpr (is_number) {
    if (value.is_number()) return value.dump();
  } else if constexpr (std::is_same_v<Value, bool>) {
    if (value.is_boolean()) return value.dump();
  } else if (value.is_string()) {
    return value.get<std::string>();
  }
  throw Error(fmt::format("is {}", value.dump()));
}

/// A value as config.toml has it, whose strings are written as JSON's are.
Json value_of_toml(const Json& text) {
  const Json value =
      text.is_string() ? parse_json(text.get<std::string>()) : Json(Json::value_t::discarded);
  if (value.is_discarded()) throw Error(fmt::format("is {}", text.dump()));
  return value;
}

}  // namespace

Json options_to_json(const TrainConfig& config) {
  Json saved = Json::object();
  visit_options(config, [&](const char* name, const auto& value, const char*) {
    saved[name] = to_json_value(value);
  });
  return saved;
}

TrainConfig options_from_json(const Json& saved, const std::filesystem::path& path) {
  if (!saved.is_object()) throw InputError(path, "options", "is not a JSON object");
  // Among the options are numbers: where they are all strings, they are text.
  const bool is_toml =
      std::all_of(saved.begin(), saved.end(), [](const Json& value) { return value.is_string(); });
  TrainConfig config;
  visit_options(config, [&]<class Value>(const char* name, Value&, const char*) {
    const auto found = saved.find(name);
    if (found == saved.end()) return;
    try {
      set_option(config, name, command_line_text<Value>(is_toml ? value_of_toml(*found) : *found));
    } catch (const Error& error) {
      throw InputError(path, name, error.what());
    }
  });
  // Until there was --split-seed, --seed chose the split as well.
  if (!saved.contains("split-seed")) config.split.seed = config.seed;
  return config;
}

}  // namespace mpbench::train
