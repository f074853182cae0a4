#include <fmt/format.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "choices.hpp"
#include "gate_flags.hpp"
#include "mpbench/core/error.hpp"
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
    const bool is_arm = axis.option == grid.arm_option;
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
}

/// Text of a share: "2%", "2 %" or "0.02".
double parse_share(const std::string& flag, const std::string& given) {
  std::string text = given;
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  while (text.ends_with(' ')) text.pop_back();
  if (!number<double>()(text).empty()) {
    throw UsageError(fmt::format("{} {}: must be a share: 2% or 0.02", flag, given));
  }
  const double share = std::stod(text) / (percent ? 100 : 1);
  if (!(share > 0 && share <= 1)) {
    throw UsageError(fmt::format("{} {}: must be above 0, and at most 100%", flag, given));
  }
  return share;
}

void add_share(CLI::App& command, const std::string& flag, double& value, const std::string& help) {
  command
      .add_option_function<std::string>(
          flag, [&value, flag](const std::string& text) { value = parse_share(flag, text); }, help)
      ->default_str(fmt::format("{:g}%", 100 * value));
}

/// What is compared with what, besides the lists.
void add_arms(CLI::App& command, commands::CompareOptions& options) {
  command.option_defaults()->group("Arms");
  command.add_option("--axis", options.axes,
                     "Vary any other option: --axis threads=1,2; may be given several times");
  command.add_option("--baseline", options.baseline,
                     "What the others are compared with: precision=tf32, threads=1");
  command.add_option_function<std::string>(
      "--with", [&options](const std::string& path) { options.grid.other_program = path; },
      "Compare with another build of mpbench, this program's path");
  command
      .add_option_function<double>(
          "--handicap", [&options](double share) { options.handicap = share; },
          "Compare the baseline with itself, each step made longer by this fraction: what a "
          "comparison must find")
      ->transform(number<double>());
  command
      .add_option_function<std::string>(
          "--ladder",
          [&options](const std::string& word) {
            options.ladder = word.empty() ? bench::LadderOrder::forward
                                          : parse_enum<bench::LadderOrder>(word, "--ladder");
          },
          "Change one factor after another, from strict FP32 in NCHW to TF32, channels_last, mixed "
          "precision, twice the batch and a CUDA graph: forward or reverse")
      ->expected(0, 1)
      ->default_str("forward");
  command.add_flag_callback(
      "--ladder-reverse", [&options] { options.ladder = bench::LadderOrder::reverse; },
      "The factors in the reverse order");
}

/// How much is measured, and how it is judged.
void add_measuring(CLI::App& command, commands::CompareOptions& options) {
  command.option_defaults()->group("Comparison");
  auto& speed = options.comparison.speed;
  command
      .add_option("--repeats", options.grid.repeats,
                  "Trainings of each arm to the end, each with its own seed")
      ->transform(number<int>())
      ->check(CLI::Range(1, 1000));
  command
      .add_option_function<std::vector<std::uint64_t>>(
          "--seed",
          [&options](const std::vector<std::uint64_t>& seeds) { options.grid.seeds = seeds; },
          "Seed of the first repeat, the next one has the next seed; or a comma list, one a repeat")
      ->delimiter(',')
      ->default_str("0")
      ->transform(number<std::uint64_t>());
  command.add_flag("--speed-only", options.speed_only,
                   "Measure speed alone: no training goes on to its end");
  command
      .add_option_function<double>(
          "--max-time", [&options](double time_s) { options.max_time_s = time_s; },
          "Time limit for all together (90s, 3min, 1h): without --epochs and --steps trainings are "
          "made to fit; 0: no limit")
      ->default_str("10min")
      ->transform(seconds());
  command
      .add_option("--sessions", options.sessions,
                  "Sessions of fresh processes; 0: 6, 12 or 18, until the verdicts are clear")
      ->transform(number<int>())
      ->check(CLI::Range(0, 1000));
  add_share(command, "--target-precision", speed.target,
            "An interval of the speed-up this narrow, up and down, is enough");
  add_share(command, "--equivalence", speed.equivalence,
            "Difference in speed up to which arms are equivalent");
  command.add_option("--primary", speed.primary,
                     "The arm that is tested first: the others' verdicts then cost it nothing");
  add_choice<bench::Together>(
      command, "--together", options.together,
      "Whether all processes of a session are in memory at once: auto, yes or no");
  command
      .add_option("--margin", options.comparison.margin,
                  "Non-inferiority margin: loss of the metric (AUC or accuracy) that is acceptable")
      ->transform(number<double>());
  command.add_option(
      "--require", options.requirements,
      "Exit code 4 unless this holds: 'bf16: speedup >= 1.2, non-inferior', 'no slower "
      "than 3 %', 'status ok'; may be given several times");
  command
      .add_option("--confidence", options.comparison.confidence,
                  "Confidence level of the intervals")
      ->transform(number<double>());
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
  std::set<std::string> own = options_of(options.grid);
  own.insert({"seed", "handicap"});
  add_training_flags(*command, options.grid.config, own);
  add_arms(*command, options);
  add_measuring(*command, options);
  command->option_defaults()->group("Output");
  command->add_option_function<std::string>(
      "--out", [&options](const std::string& path) { options.out = path; },
      "Folder for CSVs, report and logs (default mpbench-out/compare-TIME)");
  add_gate_flags(*command, options.gate);
  command->add_flag("--resume", options.resume,
                    "Resume the comparison in --out; finished sessions are kept");
  command->add_flag("--dry-run", options.dry_run,
                    "Show what would be run and about how long it takes, and end");
  command->option_defaults()->group("Options");
  command->footer(
      "Examples:\n"
      "  mpbench compare --precision fp32,bf16,fp16 --data rsna/ --image-size 124\n"
      "  mpbench compare --speed-only --max-time 5min --model resnet18\n"
      "  mpbench compare --precision bf16 --axis threads=1,2 --speed-only\n"
      "  mpbench compare --precision fp32 --with old/mpbench --speed-only\n"
      "  mpbench compare --precision fp32,bf16 --require 'bf16: faster, non-inferior'\n"
      "  mpbench compare --require 'status ok' --junit gate.xml --step-summary\n"
      "  mpbench compare --resume --out sweep\n"
      "Speed is measured in sessions of fresh processes that train in turns; repeats\n"
      "are trained to the end, each with its own seed, and judged on one split.");
  command->callback([shared_options, &given, &chosen] {
    // A switch without a list.
    for (bench::Axis& axis : shared_options->grid.axes) {
      if (axis.values.empty() && is_switch(shared_options->grid.config, axis.option)) {
        axis.values = {"true"};
      }
    }
    shared_options->length_given = given.contains("epochs") || given.contains("steps") ||
                                   shared_options->grid.config.steps > 0;
    shared_options->comparison.speed.confidence = shared_options->comparison.confidence;
    commands::choose_arms(*shared_options, given);
    commands::validate(*shared_options, given);
    chosen = *shared_options;
  });
}

}  // namespace mpbench::cli
