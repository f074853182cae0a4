#include <memory>

#include "subcommands.hpp"

namespace mpbench::cli {

void setup_info(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::InfoOptions>();
  CLI::App* command =
      app.add_subcommand("info", "Show devices, their support of each precision, and versions");
  command->add_flag("--json", options->json, "For scripts");
  command->add_flag(
      "--measure", options->measure,
      "Measure how fast each device multiplies in each precision and copies, in a few "
      "seconds, and keep the rates for 'mpbench explain'");
  command->footer(
      "Examples:\n  mpbench info\n  mpbench info --measure\n  mpbench info --json | jq "
      "'.devices[].precisions'");
  command->callback([options, &chosen] { chosen = *options; });
}

}  // namespace mpbench::cli
