#include <memory>

#include "choices.hpp"
#include "mpbench/core/error.hpp"
#include "numbers.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {

void setup_decode(CLI::App& app, commands::Command& chosen) {
  auto options = std::make_shared<commands::DecodeOptions>();
  CLI::App* command = app.add_subcommand("decode", "Decode DICOM files to pixel values");
  command->add_option("FILE", options->files, "DICOM files")->required()->default_str("");
  add_choice<commands::DecodeStage>(*command, "--stage", options->stage,
                                    "Stage of the DICOM pixel pipeline: stored values, modality "
                                    "units, or display values from 0 to 1")
      ->default_str("stored");
  command->add_flag(
      "--digest", options->digest,
      "Print one line per frame: sha256 rows cols bits signed path. The SHA-256 is of the stored "
      "values, little-endian, in row-major order, `bits` (8 or 16) bits each");
  command->add_option("--out", options->out,
                      "Write NAME.npy and NAME.png of every frame to this folder, and print the "
                      "paths of the .npy files");
  command->add_option("--frame", options->frame, "Frame to decode, counted from 0 (default: all)")
      ->transform(number<int>())
      ->check(CLI::NonNegativeNumber)
      ->default_str("");
  command->footer(
      "Without --digest and --out it describes each file. A file that cannot be\n"
      "decoded is named on stderr and left out; the exit code is then 3, or 1 when\n"
      "none could be decoded.\n"
      "Examples:\n"
      "  mpbench decode image.dcm\n"
      "  mpbench decode --digest train_images/*/*.dcm > digests.txt\n"
      "  mpbench decode --stage display --out images image.dcm");
  command->callback([command, options, &chosen] {
    if (options->digest && options->out.empty() && command->count("--stage") > 0) {
      throw UsageError("--stage: has no effect with --digest alone, which is of stored values");
    }
    chosen = *options;
  });
}

}  // namespace mpbench::cli
