#include <memory>
#include <string>

#include "choices.hpp"
#include "numbers.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
namespace {

using commands::PredictionOptions;

void add_network_flags(CLI::App& command, PredictionOptions& options) {
  auto* checkpoint =
      command
          .add_option("--checkpoint", options.checkpoint,
                      "Checkpoint of a training run, such as OUT/checkpoints/best.safetensors")
          ->option_text("FILE");
  command
      .add_flag("--no-ema", options.no_ema,
                "Use the trained weights, where the run kept their moving average")
      ->option_text(" ")
      ->needs(checkpoint);
  auto* weights = command
                      .add_option("--weights", options.weights,
                                  "Instead of a checkpoint: a .pth or .safetensors file of weights")
                      ->option_text("FILE");
  auto* model =
      command.add_option("--model", options.model, "With --weights: the network, such as resnet18")
          ->option_text("NAME");
  weights->excludes(checkpoint)->needs(model);
  model->needs(weights);
  command
      .add_option("--activation", options.activation,
                  "With --weights: EfficientNet activation, silu or relu6")
      ->option_text("TEXT=silu")
      ->needs(weights);
  command
      .add_option("--classes", options.classes,
                  "With --weights: class names, in the order of the outputs")
      ->option_text("A,B,...")
      ->delimiter(',')
      ->needs(weights);
  command
      .add_option("--image-size", options.image_size,
                  "With --weights: image side in pixels; 0: the dataset's own (rsna: 124)")
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
                               "With --weights: mean of the training images, whose values are 0 to "
                               "1; one number, or one per channel")
                   ->option_text("FLOAT,...")
                   ->delimiter(',')
                   ->transform(number<float>())
                   ->needs(weights)
                   ->excludes(normalize);
  auto* deviation =
      command.add_option("--deviation", options.stddev, "With --mean: their standard deviation")
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
                  "Dataset folder or cache file, a folder of mammograms with test.csv, or a folder "
                  "of images")
      ->required();
  command
      .add_option("--dataset", data.dataset,
                  "auto, rsna, rsna-png, rsna-test (test.csv), folder (one per class), images "
                  "(images without labels), cifar100, cifar10, idx or synthetic")
      ->option_text("TEXT=auto")
      ->check(CLI::IsMember({"auto", "rsna", "rsna-png", "rsna-test", "folder", "pictures",
                             "cifar100", "cifar10", "idx", "synthetic"}));
  command
      .add_option("--limit", data.limit, "Use only about this many images, for smoke tests; 0: all")
      ->transform(number<std::int64_t>())
      ->check(CLI::NonNegativeNumber);
  command.add_option("--split", options.split,
                     "split.csv of a run: predict its validation images only");
  add_choice<commands::DatasetPart>(
      command, "--part", options.part,
      "Images to predict, of --split or of the dataset's own split: all, train, validation or test")
      ->option_text("TEXT");
  command
      .add_option("--pixel-bits", options.pixel_bits,
                  "Bits per pixel of the prepared images, 8 or 16")
      ->transform(number<int>())
      ->check(CLI::IsMember({8, 16}));
  command.add_flag("--exact", data.exact,
                   "Decode every mammogram at full resolution, as in preprocess");
}

void add_run_flags(CLI::App& command, PredictionOptions& options) {
  command.add_option("--out", options.out, "CSV file to write; -: standard output");
  auto* per_image =
      command
          .add_flag("--per-image", options.per_image,
                    "Mammograms: one row per image (image_id) instead of one per breast")
          ->option_text(" ");
  add_choice<stats::CaseAggregation>(
      command, "--aggregate", options.aggregate,
      "Mammograms: probability of a breast, the mean (default) or max over its images")
      ->option_text("TEXT=mean")
      ->excludes(per_image);
  command.add_option_function<std::string>(
      "--precision",
      [&options](const std::string& word) { options.precision = parse_precision(word); },
      "fp32, tf32, bf16 or fp16 (default: the checkpoint's, or fp32)");
  add_choice<kernels::DepthwiseBackend>(
      command, "--depthwise", options.depthwise,
      "Depthwise convolutions on the CPU: auto, framework or fp32 (default: the "
      "checkpoint's, or auto)");
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N");
  command.add_option("--threads", options.threads, "CPU threads for computation; 0: one per core")
      ->transform(number<int>())
      ->check(CLI::Range(0, 4096));
  command
      .add_option("--workers", options.workers, "Data loader threads; 0: load in the main thread")
      ->transform(number<int>())
      ->check(CLI::Range(0, 256));
  command
      .add_option("--batch-size", options.batch_size,
                  "Images per batch; 0: as in the checkpoint's run, or 32")
      ->transform(number<int>())
      ->check(CLI::Range(0, 1 << 20));
  // CLI11 takes an optional<bool> for a counter, and sets it to 0 where the flag is not given.
  command.add_flag_function(
      "--channels-last,!--no-channels-last",
      [&options](std::int64_t given) { options.channels_last = given > 0; },
      "NHWC (channels_last) memory format (default: as in the checkpoint's run, or on)");
}

}  // namespace

void setup_predict(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::PredictionOptions>();
  CLI::App* command =
      app.add_subcommand("predict", "Predict with a trained model: probabilities as CSV");
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
