#include "gate_flags.hpp"

#include <string>

namespace mpbench::cli {

void add_gate_flags(CLI::App& command, commands::GateFiles& files) {
  command.add_option_function<std::string>(
      "--junit", [&files](const std::string& path) { files.junit = path; },
      "Write to this file which requirements hold, as JUnit XML; without --require a test an arm");
  command
      .add_option_function<std::string>(
          "--step-summary",
          [&files](const std::string& path) {
            files.step_summary = commands::step_summary_file(path);
          },
          "Add the results as Markdown to this file's end; without a name to that of "
          "GITHUB_STEP_SUMMARY")
      ->expected(0, 1);
}

}  // namespace mpbench::cli
