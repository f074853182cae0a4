#include "mpbench/data/preprocess.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "mpbench/bench/meters.hpp"
#include "mpbench/data/contact_sheet.hpp"
#include "mpbench/data/dataset.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {
namespace {

struct CliPreprocessOptions {
  data::DatasetOptions data;
  int image_size = 0;
  int pixel_bits = 8;
  std::filesystem::path contact_sheet;  ///< empty: none
};

constexpr std::size_t most_quarantined_named = 5;

void name_failures(const data::PreprocessSummary& summary, const std::filesystem::path& cache) {
  for (std::size_t i = 0; i < std::min(most_quarantined_named, summary.quarantined.size()); ++i) {
    const auto& input = summary.quarantined[i];
    spdlog::warn("left out: {}: {}: {}", input.path.string(), input.field, input.problem);
  }
  spdlog::warn("{} inputs failed and are left out; all are named in {}", summary.quarantined.size(),
               (cache.parent_path() / "quarantine.csv").string());
}

/// "decoded at 1/1: 12, 1/2: 90; 3 whole frames; ", or nothing where that says nothing.
std::string describe_decoding(const data::PreprocessSummary& summary) {
  std::string text;
  if (summary.by_reduction.size() > 1) {
    for (std::size_t i = 0; i < summary.by_reduction.size(); ++i) {
      if (summary.by_reduction[i] == 0) continue;
      text += fmt::format("{}1/{}: {}", text.empty() ? "decoded at " : ", ", 1 << i,
                          summary.by_reduction[i]);
    }
    text += "; ";
  }
  if (summary.whole_frames > 0 && summary.whole_frames < summary.images) {
    text += fmt::format("{} whole frames, as no breast stood out; ", summary.whole_frames);
  }
  return text;
}

ExitCode run_preprocess(CliPreprocessOptions options, const SharedOptions& shared) {
  auto& dataset = options.data;
  if (options.image_size > 0) dataset.height = dataset.width = options.image_size;
  dataset.pixel_type = options.pixel_bits == 16 ? data::PixelType::u16 : data::PixelType::u8;
  const auto source = data::open_source(dataset);
  const data::PreprocessOptions how{.height = source.height,
                                    .width = source.width,
                                    .pixel_type = dataset.pixel_type,
                                    .exact = dataset.exact,
                                    .workers = dataset.workers};
  const auto& cache = dataset.cache;
  const auto summary =
      data::preprocess(source.table, cache, how, source.prepare, make_progress(shared));
  if (summary.up_to_date) {
    spdlog::info("{} is up to date: {} images", cache.string(), summary.images);
  } else {
    spdlog::info("{}: {} images of {} x {} x {} in {:.2f} s{}", cache.string(), summary.images,
                 source.table.channels, how.height, how.width, summary.seconds,
                 summary.resumed > 0
                     ? fmt::format(", {} of them from an interrupted run", summary.resumed)
                     : "");
    const auto peak = bench::peak_rss_bytes();
    spdlog::info("{}peak memory {}", describe_decoding(summary),
                 peak ? fmt::format("{:.0f} MB", static_cast<double>(*peak) / 1e6) : "unknown");
  }
  if (!options.contact_sheet.empty()) {
    data::write_contact_sheet(options.contact_sheet, cache, source.show_whole);
    spdlog::info("contact sheet: {}", options.contact_sheet.string());
  }
  if (summary.quarantined.empty()) return ExitCode::done;
  name_failures(summary, cache);
  return ExitCode::partial;
}

}  // namespace

void setup_preprocess(CLI::App& app, const SharedOptions& shared, Action& action) {
  auto options = std::make_shared<CliPreprocessOptions>();
  auto& dataset = options->data;
  CLI::App* command = app.add_subcommand(
      "preprocess", "Turn a folder of mammograms or pictures into one cache file for training");
  command
      ->add_option("--data", dataset.path,
                   "Folder with train.csv and train_images/, or with a folder of pictures a class")
      ->required();
  command
      ->add_option("--cache", dataset.cache,
                   "File to write (.safetensors); quarantine.csv goes beside it")
      ->required();
  command->add_option("--dataset", dataset.dataset, "auto, rsna, folder or synthetic");
  auto* size = command
                   ->add_option("--image-size", options->image_size,
                                "Rows and columns of every image (default: 124 for rsna; for a "
                                "folder its pictures' own, if they all have one up to 512, or 224)")
                   ->check(CLI::Range(1, 16384))
                   ->default_str("");
  command->add_option("--height", dataset.height, "Rows of every image")
      ->check(CLI::Range(1, 16384))
      ->default_str("")
      ->excludes(size);
  command->add_option("--width", dataset.width, "Columns of every image")
      ->check(CLI::Range(1, 16384))
      ->default_str("")
      ->excludes(size);
  command
      ->add_option("--workers", dataset.workers,
                   "Threads, each with one image in memory; 0 is one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--pixel-bits", options->pixel_bits, "8 or 16 bits a pixel")
      ->check(CLI::IsMember({8, 16}))
      ->capture_default_str();
  command->add_option("--contact-sheet", options->contact_sheet,
                      "Write a PNG with up to fifty pictures and their crops, to look at");
  command->add_flag(
      "--exact", dataset.exact,
      "Decode every mammogram in full; without it JPEG 2000 is decoded at a resolution that "
      "is at least twice that of the image");
  command->footer(
      "An interrupted run is taken up where it stopped. Exit code 3: done, but some\n"
      "inputs failed.\n"
      "Examples:\n"
      "  mpbench preprocess --data rsna --cache rsna-124.safetensors\n"
      "  mpbench preprocess --data rsna --cache r.safetensors --height 1024 --width 512\n"
      "  mpbench preprocess --data rsna --cache r.safetensors --contact-sheet crops.png\n"
      "  mpbench preprocess --data photos --cache photos.safetensors --image-size 256");
  command->callback([options, &shared, &action] {
    action = [options, &shared] { return run_preprocess(*options, shared); };
  });
}

}  // namespace mpbench::cli
