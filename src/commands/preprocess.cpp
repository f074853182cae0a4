#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "mpbench/bench/meters.hpp"
#include "mpbench/data/contact_sheet.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/data/preprocess.hpp"
#include "progress_display.hpp"
#include "skipped_inputs.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

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

}  // namespace

ExitCode run_preprocess(const PreprocessOptions& options, const SharedOptions& shared) {
  data::DatasetOptions dataset = options.data;
  if (options.image_size > 0) dataset.height = dataset.width = options.image_size;
  dataset.pixel_type = options.pixel_bits == 16 ? data::PixelType::u16 : data::PixelType::u8;
  const auto source = data::open_source(dataset);
  const data::PreprocessOptions how{.height = source.height,
                                    .width = source.width,
                                    .pixel_type = dataset.pixel_type,
                                    .preparation = source.preparation,
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
    data::write_contact_sheet(options.contact_sheet, cache, source.make_thumbnail);
    spdlog::info("contact sheet: {}", options.contact_sheet.string());
  }
  if (summary.quarantined.empty()) return ExitCode::done;
  warn_of_skipped(summary.quarantined, cache.parent_path() / "quarantine.csv", /*most_named=*/5);
  return ExitCode::partial;
}

}  // namespace mpbench::commands
