#include "mpbench/data/preprocess.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "mpbench/data/idx.hpp"
#include "mpbench/data/mammogram.hpp"
#include "mpbench/data/rsna.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
namespace {

struct CliPreprocessOptions {
  std::filesystem::path data;
  std::filesystem::path cache;
  int image_size = 0;
  int pixel_bits = 8;
  data::PreprocessOptions preprocess;
};

constexpr std::size_t most_named = 5;

void name_failures(const data::PreprocessSummary& summary, const std::filesystem::path& cache) {
  for (std::size_t i = 0; i < std::min(most_named, summary.quarantined.size()); ++i) {
    const auto& input = summary.quarantined[i];
    spdlog::warn("left out: {}: {}: {}", input.path.string(), input.field, input.problem);
  }
  spdlog::warn("{} inputs failed and are left out; all are named in {}", summary.quarantined.size(),
               (cache.parent_path() / "quarantine.csv").string());
}

ExitCode run_preprocess(CliPreprocessOptions options, const SharedOptions& shared) {
  if (options.image_size > 0) {
    options.preprocess.height = options.preprocess.width = options.image_size;
  }
  options.preprocess.pixel_type =
      options.pixel_bits == 16 ? data::PixelType::u16 : data::PixelType::u8;
  if (!data::is_rsna_folder(options.data) && data::is_idx_folder(options.data)) {
    throw UsageError(fmt::format("{} is an idx folder: it is read as it is, without a cache",
                                 options.data.string()));
  }
  const auto table =
      data::to_image_table(data::read_rsna_table(options.data),
                           data::is_synthetic_folder(options.data) ? "synthetic" : "rsna");
  const auto prepare = [&](const std::filesystem::path& path) {
    return data::prepare_mammogram(path, options.preprocess.height, options.preprocess.width,
                                   options.preprocess.exact);
  };
  const auto summary =
      data::preprocess(table, options.cache, options.preprocess, prepare, make_progress(shared));
  if (summary.up_to_date) {
    spdlog::info("{} is up to date: {} images", options.cache.string(), summary.images);
  } else {
    spdlog::info("{}: {} images of {} x {} in {:.1f} s{}", options.cache.string(), summary.images,
                 options.preprocess.height, options.preprocess.width, summary.seconds,
                 summary.resumed > 0
                     ? fmt::format(", {} of them from an interrupted run", summary.resumed)
                     : "");
  }
  if (summary.quarantined.empty()) return ExitCode::done;
  name_failures(summary, options.cache);
  return ExitCode::partial;
}

}  // namespace

void setup_preprocess(CLI::App& app, const SharedOptions& shared, Action& action) {
  auto options = std::make_shared<CliPreprocessOptions>();
  CLI::App* command =
      app.add_subcommand("preprocess", "Turn an RSNA folder into one cache file for training");
  command->add_option("--data", options->data, "Folder with train.csv and train_images/")
      ->required();
  command
      ->add_option("--cache", options->cache,
                   "File to write (.safetensors); quarantine.csv goes beside it")
      ->required();
  auto& preprocess = options->preprocess;
  auto* size = command
                   ->add_option("--image-size", options->image_size,
                                "Rows and columns of every image (default 124)")
                   ->check(CLI::Range(1, 16384));
  command->add_option("--height", preprocess.height, "Rows of every image")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str()
      ->excludes(size);
  command->add_option("--width", preprocess.width, "Columns of every image")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str()
      ->excludes(size);
  command
      ->add_option("--workers", preprocess.workers,
                   "Threads, each with one image in memory; 0 is one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--pixel-bits", options->pixel_bits, "8 or 16 bits a pixel")
      ->check(CLI::IsMember({8, 16}))
      ->capture_default_str();
  command->add_flag(
      "--exact", preprocess.exact,
      "Decode every file in full; without it JPEG 2000 is decoded at a resolution that "
      "is at least twice that of the image");
  command->footer(
      "An interrupted run is taken up where it stopped. Exit code 3: done, but some\n"
      "inputs failed.\n"
      "Examples:\n"
      "  mpbench preprocess --data rsna --cache rsna-124.safetensors\n"
      "  mpbench preprocess --data rsna --cache r.safetensors --height 1024 --width 512");
  command->callback([options, &shared, &action] {
    action = [options, &shared] { return run_preprocess(*options, shared); };
  });
}

}  // namespace mpbench::cli
