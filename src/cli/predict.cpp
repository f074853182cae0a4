#include <memory>
#include <string>

#include "choices.hpp"
#include "numbers.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
namespace {

using commands::PredictionOptions;

void add_network_flags(CLI::App& command, PredictionOptions& options) {
  auto* checkpoint = command
                         .add_option("--checkpoint", options.checkpoint,
                                     "The network that a training run left, "
                                     "OUT/checkpoints/best.safetensors")
                         ->option_text("FILE");
  command
      .add_flag("--no-ema", options.no_ema,
                "The weights themselves, where the run judged their moving average")
      ->option_text(" ")
      ->needs(checkpoint);
  auto* weights = command
                      .add_option("--weights", options.weights,
                                  "Instead: a .pth or .safetensors file (torchvision's names)")
                      ->option_text("FILE");
  auto* model = command.add_option("--model", options.model, "The network that they are of")
                    ->option_text("NAME");
  weights->excludes(checkpoint)->needs(model);
  model->needs(weights);
  command
      .add_option("--activation", options.activation,
                  "With --weights: EfficientNet's, silu or relu6")
      ->option_text("TEXT=silu")
      ->needs(weights);
  command
      .add_option("--classes", options.classes,
                  "With --weights: the classes' names, in the outputs' order")
      ->option_text("A,B,...")
      ->delimiter(',')
      ->needs(weights);
  command
      .add_option("--image-size", options.image_size,
                  "With --weights: pixels a side; 0 is the dataset's own (rsna: 124)")
      ->option_text("INT=0")
      ->transform(number<int>())
      ->check(CLI::Range(0, 16384))
      ->needs(weights);
  auto* normalize = add_choice<train::NormalizationKind>(
                        command, "--normalize", options.normalize,
                        "With --weights: auto (imagenet for colour), imagenet, unit or none")
                        ->option_text("TEXT=auto")
                        ->needs(weights);
  auto* mean = command
                   .add_option("--mean", options.mean,
                               "With --weights: the training images' mean, of values from 0 to 1; "
                               "one number, or one a channel")
                   ->option_text("FLOAT,...")
                   ->delimiter(',')
                   ->transform(number<float>())
                   ->needs(weights)
                   ->excludes(normalize);
  auto* deviation =
      command.add_option("--deviation", options.deviation, "And their standard deviation")
          ->option_text("FLOAT,...")
          ->delimiter(',')
          ->transform(number<float>())
          ->needs(mean);
  mean->needs(deviation);
}

void add_data_flags(CLI::App& command, PredictionOptions& options) {
  auto& data = options.data;
  command
      .add_option("--data", data.path,
                  "Dataset folder or cache file; a folder of mammograms with test.csv; or "
                  "a folder of pictures")
      ->required();
  command
      .add_option(
          "--dataset", data.dataset,
          "auto, rsna, rsna-png, rsna-test (test.csv), folder (of classes), pictures (without "
          "labels), cifar100, cifar10, idx or synthetic")
      ->option_text("TEXT=auto")
      ->check(CLI::IsMember({"auto", "rsna", "rsna-png", "rsna-test", "folder", "pictures",
                             "cifar100", "cifar10", "idx", "synthetic"}));
  command.add_option("--limit", data.limit, "Use so many images only (smoke runs); 0 is all")
      ->transform(number<std::int64_t>())
      ->check(CLI::NonNegativeNumber);
  command.add_option("--split", options.split,
                     "A run's split.csv: predict its validation images only");
  add_choice<commands::DatasetPart>(
      command, "--part", options.part,
      "all, train, validation or test images, of --split or of the dataset's own split")
      ->option_text("TEXT");
  command
      .add_option("--pixel-bits", options.pixel_bits, "Prepare images with 8 or 16 bits a pixel")
      ->transform(number<int>())
      ->check(CLI::IsMember({8, 16}));
  command.add_flag("--exact", data.exact, "Decode every mammogram in full, as in preprocess");
}

void add_run_flags(CLI::App& command, PredictionOptions& options) {
  command.add_option("--out", options.out, "CSV file to write; - is the standard output");
  auto* per_image = command
                        .add_flag("--per-image", options.per_image,
                                  "Mammograms: a row an image (image_id), not one a breast")
                        ->option_text(" ");
  add_choice<stats::UnitScoring>(
      command, "--aggregate", options.aggregate,
      "Mammograms: a breast's probability is its images' mean (default) or max")
      ->option_text("TEXT=mean")
      ->excludes(per_image);
  command.add_option_function<std::string>(
      "--precision",
      [&options](const std::string& word) { options.precision = parse_precision(word); },
      "fp32, tf32, bf16 or fp16 (default: the checkpoint's, or fp32)");
  add_choice<kernels::Depthwise>(
      command, "--depthwise", options.depthwise,
      "Depthwise convolutions on the CPU: auto, framework or fp32 (default: the "
      "checkpoint's, or auto)");
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N");
  command.add_option("--threads", options.threads, "CPU threads that compute; 0 is one a core")
      ->transform(number<int>())
      ->check(CLI::Range(0, 4096));
  command
      .add_option("--workers", options.workers,
                  "Threads that prepare batches; 0 prepares them in between")
      ->transform(number<int>())
      ->check(CLI::Range(0, 256));
  command
      .add_option("--batch-size", options.batch_size,
                  "Images at a time; 0 is as the checkpoint's run, or 32")
      ->transform(number<int>())
      ->check(CLI::Range(0, 1 << 20));
  // CLI11 takes an optional<bool> for a counter, and sets it to 0 where the flag is not given.
  command.add_flag_function(
      "--channels-last,!--no-channels-last",
      [&options](std::int64_t given) { options.channels_last = given > 0; },
      "NHWC memory format (default: as the checkpoint's run, or on)");
}

}  // namespace

void setup_predict(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::PredictionOptions>();
  CLI::App* command =
      app.add_subcommand("predict", "Ask a trained network: probabilities as a CSV");
  add_network_flags(*command, *options);
  add_data_flags(*command, *options);
  add_run_flags(*command, *options);
  command->footer(
      "Mammograms give prediction_id,cancer: one row a breast. Other images give\n"
      "image,predicted and a column of probabilities a class. Images are prepared as\n"
      "they were for training. One that cannot be read is named on stderr and left\n"
      "out; the exit code is then 3.\n"
      "Examples:\n"
      "  mpbench predict --checkpoint runs/fp16/checkpoints/best.safetensors \\\n"
      "    --data rsna --out submission.csv\n"
      "  mpbench predict --checkpoint best.safetensors --data photos/ | head\n"
      "  mpbench predict --model resnet18 --weights pets.pth --data photos \\\n"
      "    --classes cat,dog,fish --image-size 224 --out pets.csv");
  command->callback([options, &chosen] {
    commands::validate(*options);
    chosen = *options;
  });
}

}  // namespace mpbench::cli
