#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "mpbench/dicom/synthetic_set.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
namespace {

struct SynthOptions {
  dicom::SyntheticSetOptions set;
  std::string syntax = "mixed";
};

std::string syntax_counts(const dicom::SyntheticSetSummary& summary) {
  std::string text;
  for (std::size_t i = 0; i < summary.images_by_syntax.size(); ++i) {
    if (summary.images_by_syntax[i] == 0) continue;
    const auto syntax = static_cast<dicom::SyntheticSyntax>(i + 1);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", summary.images_by_syntax[i],
                        to_string(syntax));
  }
  if (summary.jp2_wrapped > 0) text += fmt::format(" ({} in JP2)", summary.jp2_wrapped);
  return text;
}

ExitCode run_synth(SynthOptions options, const SharedOptions& shared) {
  options.set.syntax = dicom::parse_synthetic_syntax(options.syntax);
  const dicom::SyntheticSetSummary made =
      dicom::write_synthetic_set(options.set, make_progress(shared));
  spdlog::info(
      "synthetic set in {}: {} images of {} patients, {} images of {} breasts positive; {}; {:.1f} "
      "MB",
      options.set.out.string(), made.images, made.patients, made.positive_images,
      made.positive_breasts, syntax_counts(made), static_cast<double>(made.bytes) / 1e6);
  return ExitCode::done;
}

}  // namespace

void setup_synth(CLI::App& app, const SharedOptions& shared, Action& action) {
  auto options = std::make_shared<SynthOptions>();
  CLI::App* command = app.add_subcommand("synth", "Draw a mammography set laid out as RSNA's");
  dicom::SyntheticSetOptions& set = options->set;
  command
      ->add_option("OUT", set.out,
                   "Folder for train.csv and train_images/; new, empty, or an earlier set")
      ->required();
  command
      ->add_option("--patients", set.patients, "Patients, each with two breasts and 4 to 8 images")
      ->capture_default_str();
  command->add_option("--seed", set.seed, "Same seed, same bytes")->capture_default_str();
  command
      ->add_option("--syntax", options->syntax,
                   "mixed, explicit-le, rle, jpeg-lossless or jpeg2000")
      ->capture_default_str();
  command->add_option("--height", set.height, "Rows of every image")->capture_default_str();
  command->add_option("--width", set.width, "Columns of every image")->capture_default_str();
  command
      ->add_option("--positive-fraction", set.positive_fraction,
                   "Share of positive breasts; RSNA's 0.021 is too little for a small set")
      ->capture_default_str();
  command->add_option("--threads", set.threads, "Threads; 0 is one a processor")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  mpbench synth data/synthetic\n"
      "  mpbench synth data/large --patients 16 --height 2776 --width 2082\n"
      "  mpbench synth data/j2k --patients 200 --seed 7 --syntax jpeg2000");
  command->callback([options, &shared, &action] {
    action = [options, &shared] { return run_synth(*options, shared); };
  });
}

}  // namespace mpbench::cli
