#include <memory>
#include <string>

#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {

void setup_train(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::TrainOptions>();
  CLI::App* command = app.add_subcommand("train", "Train one model, in one precision");
  add_training_flags(*command, options->config);
  command
      ->add_flag("--amp", options->amp,
                 "Mixed precision as PyTorch would: fp16 on CUDA, bf16 on the CPU")
      ->excludes("--precision");
  command->add_option_function<std::string>(
      "--out", [options](const std::string& path) { options->out = path; },
      "Folder for CSVs, predictions, log and config.toml (default mpbench-out/train-TIME)");
  command->add_option("--run-id", options->run_id, "Name of the run in the CSVs");
  command->add_option("--repeat", options->repeat, "Number of the repeat, for the CSVs")
      ->check(CLI::PositiveNumber);
  command->add_flag("--resume", options->resume,
                    "Go on from the last state in OUT/checkpoints, if there is one");
  command->add_option_function<std::string>(
      "--resume-from", [options](const std::string& path) { options->resume_from = path; },
      "Go on from this checkpoint");
  command->footer(
      "Examples:\n"
      "  mpbench train --amp            # synthetic mammograms, made on the spot\n"
      "  mpbench train --data /usr/share/datasets/fashion-mnist --epochs 2\n"
      "  mpbench train --data rsna/ --precision fp16 --image-size 512 --out runs/fp16");
  command->callback([options, &chosen] {
    train::validate(options->config);
    chosen = *options;
  });
}

}  // namespace mpbench::cli
