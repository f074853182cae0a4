#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "numbers.hpp"
#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {
namespace {

/// A list of true and false: the flag alone is true, and --no-FLAG is false for all.
void add_switch(CLI::App& command, bench::Axis& axis, const std::string& help) {
  auto& values = axis.values;
  command.add_flag_callback(
      "--no-" + axis.option, [&values] { values = {"false"}; },
      fmt::format("--{} false", axis.option));
  command.add_option("--" + axis.option, values, help)
      ->delimiter(',')
      ->expected(0, -1)
      ->check(CLI::IsMember({"true", "false"}));
}

/// A flag for each option that the grid varies, as train has it but with a list.
void add_axes(CLI::App& command, bench::Grid& grid) {
  for (bench::Axis& axis : grid.axes) {
    const bool is_arm = axis.option == bench::Grid::arm_option;
    train::visit_options(grid.config, [&]<class Value>(std::string_view name, const Value&,
                                                       const char* text) {
      if (name != axis.option) return;
      const auto help = fmt::format("Comma list{}. {}", is_arm ? ", the baseline first" : "", text);
      if constexpr (std::is_same_v<Value, bool>) {
        add_switch(command, axis, help);
      } else {
        auto* option = command.add_option("--" + axis.option, axis.values, help);
        option->delimiter(',');
        if constexpr (std::is_arithmetic_v<Value>) {
          option->transform(number<Value>())->type_name(CLI::detail::type_name<Value>());
        }
      }
    });
  }
  command.add_option("--repeats", grid.repeats, "Repeats of each arm, interleaved")
      ->transform(number<int>())
      ->check(CLI::Range(1, 1000));
}

bool is_switch(const train::TrainConfig& config, const std::string& option) {
  bool found = false;
  train::visit_options(config, [&]<class Value>(std::string_view name, const Value&, const char*) {
    if (name == option) found = std::is_same_v<Value, bool>;
  });
  return found;
}

std::set<std::string> options_of(const bench::Grid& grid) {
  std::set<std::string> options;
  for (const bench::Axis& axis : grid.axes) options.insert(axis.option);
  return options;
}

}  // namespace

void setup_compare(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen) {
  auto shared_options = std::make_shared<commands::CompareOptions>();
  auto& options = *shared_options;
  CLI::App* command = app.add_subcommand(
      "compare", "Compare precisions: time, memory and accuracy of FP32 and mixed precision");
  add_axes(*command, options.grid);
  add_training_flags(*command, options.grid.config, options_of(options.grid));
  command
      ->add_option("--max-time", options.max_time_s,
                   "Time limit for all runs together (90s, 3min, 1h): the number of steps is "
                   "chosen to fit; 0: no limit")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"min", 60}, {"h", 3600}},
                                CLI::AsNumberWithUnit::DEFAULT, "TIME"));
  command
      ->add_option(
          "--margin", options.comparison.margin,
          "Non-inferiority margin: loss of the metric (AUC or accuracy) that is acceptable")
      ->transform(number<double>());
  command
      ->add_option("--confidence", options.comparison.confidence,
                   "Confidence level of the intervals")
      ->transform(number<double>());
  command->add_option_function<std::string>(
      "--out", [&options](const std::string& path) { options.out = path; },
      "Folder for CSVs, report and logs (default mpbench-out/compare-TIME)");
  command->add_flag("--resume", options.resume,
                    "Resume the comparison in --out; finished runs are kept");
  command->footer(
      "Examples:\n"
      "  mpbench compare --precision fp32,bf16,fp16 --data rsna/ --image-size 124\n"
      "  mpbench compare --max-time 5min --data rsna/ --repeats 5\n"
      "  mpbench compare --batch-size 16,32,64 --repeats 5 --out sweep\n"
      "  mpbench compare --resume --config sweep/config.toml --out sweep\n"
      "Each run has a process of its own; repeats are interleaved. --seed varies what\n"
      "chance decides, --repeats what the machine's noise does.");
  command->callback([shared_options, &given, &chosen] {
    // A switch without a list.
    for (bench::Axis& axis : shared_options->grid.axes) {
      if (axis.values.empty() && is_switch(shared_options->grid.config, axis.option)) {
        axis.values = {"true"};
      }
    }
    commands::validate(*shared_options, given);
    chosen = *shared_options;
  });
}

}  // namespace mpbench::cli
