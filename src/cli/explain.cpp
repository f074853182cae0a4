#include <memory>
#include <set>
#include <string>

#include "numbers.hpp"
#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {

void setup_explain(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen) {
  auto shared_options = std::make_shared<commands::ExplainOptions>();
  auto& options = *shared_options;
  CLI::App* command = app.add_subcommand(
      "explain", "Show where a step's time goes in each precision, and why it is no faster");
  add_training_flags(*command, options.config, {"precision", "handicap"});
  command->option_defaults()->group("Explanation");
  command
      ->add_option("--precision", options.precisions,
                   "Comma list, the baseline first (default fp32 and what --amp means here)")
      ->delimiter(',');
  command
      ->add_option("--profile-steps", options.profile_steps,
                   "Steps that the profiler looks on, in each precision")
      ->transform(number<std::int64_t>());
  command->add_option("--max-time", options.timed_s, "Time for the steps without the profiler")
      ->default_str("20s")
      ->transform(seconds());
  command->option_defaults()->group("Output");
  command->add_option_function<std::string>(
      "--out", [&options](const std::string& path) { options.out = path; },
      "Folder for CSVs and logs (default mpbench-out/explain-TIME)");
  command->add_option_function<std::string>(
      "--trace", [&options](const std::string& path) { options.trace = path; },
      "Write the profiled steps as a Chrome trace, which Perfetto opens");
  command->add_flag("--json", options.json, "Print all figures as JSON instead of the tables");
  command->option_defaults()->group("Options");
  command->footer(
      "Examples:\n"
      "  mpbench explain --model resnet18 --image-size 128\n"
      "  mpbench explain --data rsna/ --precision fp32,bf16,fp16 --trace trace.json\n"
      "  mpbench explain --json | jq '.causes'\n"
      "Each precision trains in a process of its own, in turns with the others; then\n"
      "some steps of each are profiled.");
  command->callback([shared_options, &given, &chosen] {
    commands::validate(*shared_options, given);
    chosen = *shared_options;
  });
}

}  // namespace mpbench::cli
