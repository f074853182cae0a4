#include <memory>
#include <string>

#include "numbers.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {

void setup_synth(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::SynthOptions>();
  CLI::App* command =
      app.add_subcommand("synth", "Make synthetic mammograms in the layout of the RSNA dataset");
  synth::SyntheticSetOptions& set = options->set;
  command
      ->add_option(
          "OUT", set.out,
          "Folder for train.csv and train_images/: new, empty, or an earlier synthetic set")
      ->required();
  command
      ->add_option("--patients", set.patients, "Patients, each with two breasts and 4 to 8 images")
      ->transform(number<int>())
      ->capture_default_str();
  command->add_option("--seed", set.seed, "Same seed, same bytes")
      ->transform(number<std::uint64_t>())
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--syntax",
          [&set](const std::string& word) { set.syntax = synth::parse_synthetic_syntax(word); },
          "mixed, explicit-le, rle, jpeg-lossless or jpeg2000")
      ->default_str(std::string(to_string(set.syntax)));
  command->add_option("--height", set.height, "Rows of every image")
      ->transform(number<int>())
      ->capture_default_str();
  command->add_option("--width", set.width, "Columns of every image")
      ->transform(number<int>())
      ->capture_default_str();
  command
      ->add_option("--positive-fraction", set.positive_fraction,
                   "Fraction of positive breasts (RSNA's is 0.021, too few for a small set)")
      ->transform(number<double>())
      ->capture_default_str();
  command->add_option("--threads", set.threads, "Threads; 0: one per core")
      ->transform(number<int>())
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  mpbench synth data/synthetic\n"
      "  mpbench synth data/large --patients 16 --height 2776 --width 2082\n"
      "  mpbench synth data/j2k --patients 200 --seed 7 --syntax jpeg2000");
  command->callback([options, &chosen] {
    synth::validate(options->set);
    chosen = *options;
  });
}

}  // namespace mpbench::cli
