#include <memory>

#include "numbers.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {

void setup_preprocess(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::PreprocessOptions>();
  auto& dataset = options->data;
  CLI::App* command = app.add_subcommand(
      "preprocess", "Decode and resize a dataset into one cache file for training");
  command
      ->add_option(
          "--data", dataset.path,
          "Folder with train.csv and train_images/, or with one folder of images per class")
      ->required();
  command
      ->add_option("--cache", dataset.cache,
                   "Cache file to write (.safetensors); quarantine.csv is written next to it")
      ->required();
  command->add_option("--dataset", dataset.dataset, "auto, rsna, rsna-png, folder or synthetic");
  auto* size =
      command
          ->add_option("--image-size", options->image_size,
                       "Rows and columns of every image (default: 124 for rsna; for a folder the "
                       "size of its images, if all have the same up to 512, or 224)")
          ->transform(number<int>())
          ->check(CLI::Range(1, 16384))
          ->default_str("");
  command->add_option("--height", dataset.height, "Rows of every image")
      ->transform(number<int>())
      ->check(CLI::Range(1, 16384))
      ->default_str("")
      ->excludes(size);
  command->add_option("--width", dataset.width, "Columns of every image")
      ->transform(number<int>())
      ->check(CLI::Range(1, 16384))
      ->default_str("")
      ->excludes(size);
  command
      ->add_option("--workers", dataset.workers,
                   "Threads, each with one image in memory; 0: one per core")
      ->transform(number<int>())
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--pixel-bits", options->pixel_bits, "8 or 16 bits a pixel")
      ->transform(number<int>())
      ->check(CLI::IsMember({8, 16}))
      ->capture_default_str();
  command->add_option("--contact-sheet", options->contact_sheet,
                      "Write a PNG contact sheet of up to fifty images and their crops");
  command->add_flag("--exact", dataset.exact,
                    "Decode every mammogram at full resolution; without it, JPEG 2000 is decoded "
                    "at the lowest resolution of at least twice the size");
  command->footer(
      "An interrupted run is taken up where it stopped. Exit code 3: done, but some\n"
      "inputs failed.\n"
      "Examples:\n"
      "  mpbench preprocess --data rsna --cache rsna-124.safetensors\n"
      "  mpbench preprocess --data rsna --cache r.safetensors --height 1024 --width 512\n"
      "  mpbench preprocess --data rsna --cache r.safetensors --contact-sheet crops.png\n"
      "  mpbench preprocess --data photos --cache photos.safetensors --image-size 256");
  command->callback([options, &chosen] {
    data::require_dataset(options->data.dataset);
    chosen = *options;
  });
}

}  // namespace mpbench::cli
