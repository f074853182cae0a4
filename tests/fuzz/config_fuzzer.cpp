// A TOML file that `train --config` names, as the command line reads and checks it. Only the
// options of training are set up, and once: CommandLine, with all subcommands, takes 20 ms.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "../../src/cli/toml_config.hpp"
#include "../../src/cli/training_flags.hpp"
#include "memory_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/train/config.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::stated;
using mpbench::train::TrainConfig;

/// The part of CommandLine that deals with --config.
class TrainCommand {
 public:
  TrainCommand() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_config("--config");
    app_.allow_config_extras(CLI::config_extras_mode::error);
    mpbench::cli::add_training_flags(*app_.add_subcommand("train"), config_, {});
  }
  TrainCommand(const TrainCommand&) = delete;
  TrainCommand& operator=(const TrainCommand&) = delete;

  /// The options in a file; nothing where it is refused.
  std::optional<TrainConfig> parse(const std::filesystem::path& path) {
    config_ = {};
    // It keeps what it has read.
    app_.config_formatter(std::make_shared<mpbench::cli::TomlConfig>(app_));
    try {
      app_.parse(std::vector<std::string>{path.string(), "--config", "train"});  // from the last on
      mpbench::train::validate(config_);
      return config_;
    } catch (const CLI::ParseError&) {
      return std::nullopt;  // a UsageError of CommandLine's
    } catch (const mpbench::Error&) {
      return std::nullopt;
    }
  }

 private:
  CLI::App app_;
  TrainConfig config_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mpbench::fuzz::MemoryFolder folder;
  static TrainCommand command;
  const auto path = folder.write("config.toml", std::as_bytes(std::span(bytes, size)));
  const auto config = command.parse(path);
  if (!config) return 0;
  // The config.toml that the run would keep says the same.
  const auto text = mpbench::train::to_toml(*config);
  const auto again = command.parse(folder.write("kept.toml", text));
  stated(again && mpbench::train::to_toml(*again) == text);
  return 0;
}
