#include "toml_config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "mpbench/core/error.hpp"

namespace mpbench::cli {
namespace {

constexpr std::size_t largest_bytes = 1 << 20;

std::string read_all(std::istream& input) {
  std::string text(largest_bytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > largest_bytes) throw UsageError("--config: larger than 1 MiB");
  return text;
}

std::string scalar(std::string_view key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw UsageError(
      fmt::format("--config: {}: must be a string, a number, true, false, or a list of them", key));
}

bool takes_one_value(const CLI::App& app, const std::string& key) {
  for (const CLI::App* chosen : app.get_subcommands()) {
    const CLI::Option* option = chosen->get_option_no_throw("--" + key);
    if (option != nullptr) return option->get_items_expected_max() <= 1;
  }
  return false;
}

}  // namespace

std::vector<CLI::ConfigItem> TomlConfig::from_config(std::istream& input) const {
  if (!text_) text_ = read_all(input);
  toml::table table;
  try {
    table = toml::parse(*text_);
  } catch (const toml::parse_error& error) {
    throw UsageError(
        fmt::format("--config: line {}: {}", error.source().begin.line, error.description()));
  }
  std::vector<std::string> parents;
  for (const CLI::App* chosen : app_.get_subcommands()) parents.push_back(chosen->get_name());
  std::vector<CLI::ConfigItem> found;
  for (const auto& [key, node] : table) {
    CLI::ConfigItem item;
    item.parents = parents;
    item.name = std::string(key.str());
    if (const auto* list = node.as_array()) {
      // CLI11 would take the last of them.
      if (list->size() != 1 && takes_one_value(app_, item.name)) {
        throw UsageError(fmt::format("--config: {}: takes one value, not a list", item.name));
      }
      for (const auto& element : *list) item.inputs.push_back(scalar(item.name, element));
    } else {
      item.inputs.push_back(scalar(item.name, node));
    }
    found.push_back(std::move(item));
  }
  return found;
}

}  // namespace mpbench::cli
