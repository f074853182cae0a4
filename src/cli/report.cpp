#include <memory>
#include <string>
#include <vector>

#include "choices.hpp"
#include "gate_flags.hpp"
#include "mpbench/commands/report_options.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {

void setup_report(CLI::App& app, commands::Command& chosen) {
  auto shared_options = std::make_shared<commands::ReportOptions>();
  auto& options = *shared_options;
  CLI::App* command = app.add_subcommand(
      "report", "Show comparisons again, or several side by side, and hold them to a requirement");
  command
      ->add_option_function<std::vector<std::string>>(
          "DIR",
          [&options](const std::vector<std::string>& folders) {
            options.folders.assign(folders.begin(), folders.end());
          },
          "Folders of comparisons; what the others are compared with is the first")
      ->required();
  command
      ->add_option(
          "--require", options.requirements,
          "Exit code 4 unless this holds: of one folder as in compare, of several for the speed of "
          "each arm beside the first folder: 'no slower than 3 %'; may be given several times")
      ->allow_extra_args(false);  // what follows it are folders
  auto* format = add_choice<commands::ReportFormat>(
      *command, "--format", options.format,
      "table, or csv, json or markdown for what reads standard output");
  format->default_str("table");
  command
      ->add_flag_callback(
          "--markdown", [&options] { options.format = commands::ReportFormat::markdown; },
          "The same as --format markdown")
      ->excludes(format);
  add_gate_flags(*command, options.gate);
  command->footer(
      "Examples:\n"
      "  mpbench report runs/compare\n"
      "  mpbench report runs/compare --format csv | column -s, -t | less -S\n"
      "  mpbench report runs/machine-a runs/machine-b --markdown > machines.md\n"
      "  mpbench report runs/old runs/new --require 'no slower than 3 %'\n"
      "A change between two folders is the ratio of an arm's images/s in both, whose\n"
      "sessions are independent. Comparisons at different times also differ by what\n"
      "the machine did otherwise at either; 'mpbench compare --with PROGRAM' has two\n"
      "builds take turns, and is what to prefer where both can be run.");
  command->callback([shared_options, &chosen] {
    commands::validate(*shared_options);
    chosen = *shared_options;
  });
}

}  // namespace mpbench::cli
