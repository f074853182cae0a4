#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {
namespace {

struct Flags {
  commands::CompareOptions options;
  std::vector<std::string> channels_last{"true"};  ///< in words, as a list of flags cannot be
};

void add_axes(CLI::App& command, Flags& flags) {
  auto& axes = flags.options.axes;
  command.add_option("--precision", axes.precision, "Comma list; the first is the baseline")
      ->delimiter(',');
  command.add_option("--model", axes.model, "Comma list of networks")->delimiter(',');
  command.add_option("--batch-size", axes.batch_size, "Comma list of images a step")
      ->delimiter(',')
      ->transform(number<int>());
  command
      .add_option("--image-size", axes.image_size,
                  "Comma list of pixels a side; 0 is the dataset's own")
      ->delimiter(',')
      ->transform(number<int>());
  command.add_option("--seed", axes.seed, "Comma list of seeds")
      ->delimiter(',')
      ->transform(number<std::uint64_t>());
  command.add_flag_callback(
      "--no-channels-last", [&flags] { flags.channels_last = {"false"}; },
      "NCHW memory format in every arm");
  command
      .add_option("--channels-last", flags.channels_last,
                  "Comma list of true, false: NHWC memory format")
      ->delimiter(',')
      ->expected(0, -1)
      ->check(CLI::IsMember({"true", "false"}));
  command.add_option("--repeats", axes.repeats, "Times each arm is run, interleaved")
      ->transform(number<int>())
      ->check(CLI::Range(1, 1000));
}

}  // namespace

void setup_compare(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen) {
  auto flags = std::make_shared<Flags>();
  auto& options = flags->options;
  CLI::App* command =
      app.add_subcommand("compare", "FP32 against mixed precision: time, memory, accuracy");
  add_axes(*command, *flags);
  add_training_flags(*command, options.config, commands::axis_names());
  command
      ->add_option("--max-time", options.max_time_s,
                   "Largest time for all runs together (90s, 3min, 1h): steps are chosen to fit; 0 "
                   "is no limit")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"min", 60}, {"h", 3600}},
                                CLI::AsNumberWithUnit::DEFAULT, "TIME"));
  command
      ->add_option("--margin", options.comparison.margin,
                   "Loss of the metric (AUC or accuracy) that still counts as non-inferior")
      ->transform(number<double>());
  command->add_option("--confidence", options.comparison.confidence, "Of the intervals")
      ->transform(number<double>());
  command->add_option_function<std::string>(
      "--out", [&options](const std::string& path) { options.out = path; },
      "Folder for CSVs, report and logs (default mpbench-out/compare-TIME)");
  command->add_flag("--resume", options.resume,
                    "Go on with the comparison in --out, keeping its finished runs");
  command->footer(
      "Examples:\n"
      "  mpbench compare --precision fp32,bf16,fp16 --data rsna/ --image-size 124\n"
      "  mpbench compare --max-time 5min --data rsna/ --repeats 5\n"
      "  mpbench compare --batch-size 16,32,64 --repeats 5 --out sweep\n"
      "  mpbench compare --resume --config sweep/config.toml --out sweep\n"
      "Each run has a process of its own; repeats are interleaved. --seed varies what\n"
      "chance decides, --repeats what the machine's noise does.");
  command->callback([flags, &given, &chosen] {
    auto& layouts = flags->options.axes.channels_last;
    layouts.clear();
    for (const auto& word : flags->channels_last) layouts.push_back(word == "true");
    if (layouts.empty()) layouts = {true};  // the flag alone, without a list
    commands::validate(flags->options, given);
    chosen = flags->options;
  });
}

}  // namespace mpbench::cli
