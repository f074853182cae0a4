#include <memory>
#include <set>
#include <string>

#include "mpbench/core/error.hpp"
#include "numbers.hpp"
#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {
namespace {

/// Of --amp and --precision the one on the command line holds: config.toml has the precision that
/// --amp came to, and the same command goes on with it.
void choose_precision(const CLI::App& command, const std::set<std::string>& given, bool& amp) {
  const bool precision_given = given.contains("precision");
  if (amp && given.contains("amp") == precision_given && command.count("--precision") > 0) {
    throw UsageError("--amp and --precision: choose one of the two");
  }
  if (precision_given) amp = false;
}

}  // namespace

void setup_train(CLI::App& app, const std::set<std::string>& given, commands::Command& chosen) {
  auto options = std::make_shared<commands::TrainOptions>();
  CLI::App* command = app.add_subcommand("train", "Train one model in one precision");
  add_training_flags(*command, options->config);
  command
      ->add_flag("--amp", options->amp,
                 "Mixed precision with PyTorch's defaults, instead of --precision: fp16 on CUDA, "
                 "bf16 on the CPU")
      ->group("Precision");
  command->option_defaults()->group("Output");
  command->add_option_function<std::string>(
      "--out", [options](const std::string& path) { options->out = path; },
      "Folder for CSVs, predictions, log and config.toml (default mpbench-out/train-TIME)");
  command->add_option("--run-id", options->run_id, "Name of the run in the CSVs");
  command
      ->add_option_function<std::int64_t>(
          "--repeat", [options](std::int64_t repeat) { options->repeat = repeat; },
          "Number of the repeat, for the CSVs")
      ->transform(number<std::int64_t>())
      ->check(CLI::PositiveNumber);
  command->add_flag("--tensorboard", options->tensorboard,
                    "Write events for TensorBoard to OUT/tensorboard while it trains: losses, step "
                    "times, histograms, images, options");
  command->option_defaults()->group("");  // what compare says to the processes that it starts
  command->add_flag("--take-turns", options->take_turns,
                    "Train when the process that started this one says so");
  command->add_flag("--no-validation", options->no_validation, "Measure the speed alone");
  command->option_defaults()->group("Checkpoints");
  command->add_flag("--resume", options->resume,
                    "Resume the run in --out from its last checkpoint");
  command->add_option_function<std::string>(
      "--resume-from", [options](const std::string& path) { options->resume_from = path; },
      "Resume from this checkpoint");
  command->footer(
      "Examples:\n"
      "  mpbench train --amp            # synthetic mammograms, made on the spot\n"
      "  mpbench train --data /usr/share/datasets/fashion-mnist --epochs 2\n"
      "  mpbench train --data rsna/ --precision fp16 --image-size 512 --out runs/fp16");
  command->callback([command, options, &given, &chosen] {
    choose_precision(*command, given, options->amp);
    commands::validate(*options, given);
    chosen = *options;
  });
}

}  // namespace mpbench::cli
