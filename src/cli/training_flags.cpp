#include "training_flags.hpp"

#include <fmt/format.h>

#include <type_traits>

#include "numbers.hpp"

namespace mpbench::cli {
namespace {

struct FlagAdder {
  CLI::App& command;
  const std::set<std::string>& except;

  void begin_group(const char* name) const { command.option_defaults()->group(name); }

  template <class Value>
  void operator()(const std::string& name, Value& value, const char* help) const {
    if (except.contains(name)) return;
    const std::string flag = "--" + name;
    if constexpr (std::is_same_v<Value, bool>) {
      command.add_flag(fmt::format("{},!--no-{}", flag, name), value, help)
          ->default_str(value ? "true" : "false");
    } else if constexpr (std::is_same_v<Value, Precision>) {
      command
          .add_option_function<std::string>(
              flag, [&value](const std::string& word) { value = parse_precision(word); }, help)
          ->default_str(std::string(to_string(value)));
    } else if constexpr (NamedEnum<Value>) {
      command
          .add_option_function<std::string>(
              flag,
              [&value, flag](const std::string& word) { value = parse_enum<Value>(word, flag); },
              help)
          ->take_last()
          ->default_str(std::string(enum_name(value)));
    } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
      command.add_option_function<std::string>(
          flag, [&value](const std::string& text) { value = text; }, help);
    } else {
      CLI::Option* option = command.add_option(flag, value, help)->take_last();
      if constexpr (std::is_arithmetic_v<Value>) option->transform(number<Value>());
    }
  }
};

}  // namespace

void add_training_flags(CLI::App& command, train::TrainConfig& config,
                        const std::set<std::string>& except) {
  train::visit_options(config, FlagAdder{command, except});
  command.option_defaults()->group("Options");
}

}  // namespace mpbench::cli
