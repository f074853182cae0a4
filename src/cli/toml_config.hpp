#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace mpbench::cli {

/// Reads `--config FILE.toml` for the subcommand on the command line: each key is a flag's name, a
/// list is that flag's comma list. CLI11 takes what the command line itself does not give, so flags
/// win; an unknown key is an error.
class TomlConfig : public CLI::Config {
 public:
  explicit TomlConfig(const CLI::App& app) : app_(app) {}
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  const CLI::App& app_;
  // CLI11 reads the file more than once, and a pipe says everything only once.
  mutable std::optional<std::string> text_;
};

}  // namespace mpbench::cli
