#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>

#include "mpbench/synth/synthetic_set.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

std::string syntax_counts(const synth::SyntheticSetSummary& summary) {
  std::string text;
  for (std::size_t i = 0; i < summary.images_by_syntax.size(); ++i) {
    if (summary.images_by_syntax[i] == 0) continue;
    const auto syntax = static_cast<synth::SyntheticSyntax>(i + 1);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", summary.images_by_syntax[i],
                        to_string(syntax));
  }
  if (summary.jp2_wrapped > 0) text += fmt::format(" ({} in JP2)", summary.jp2_wrapped);
  return text;
}

}  // namespace

ExitCode run_synth(const SynthOptions& options, const SharedOptions& shared) {
  const synth::SyntheticSetSummary made =
      synth::write_synthetic_set(options.set, make_progress(shared));
  spdlog::info(
      "synthetic set in {}: {} images of {} patients, {} images of {} breasts positive; {}; {:.1f} "
      "MB",
      options.set.out.string(), made.images, made.patients, made.positive_images,
      made.positive_breasts, syntax_counts(made), static_cast<double>(made.bytes) / 1e6);
  return ExitCode::done;
}

}  // namespace mpbench::commands
