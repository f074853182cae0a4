#include "progress_display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::commands {
namespace {

constexpr double bar_interval_s = 0.1;
constexpr double line_interval_s = 10;

std::string describe(const Progress& progress) {
  std::string text = fmt::format("{} {}", progress.label, progress.done);
  if (progress.total > 0) text += fmt::format("/{}", progress.total);
  text += ' ' + progress.unit;
  if (progress.units_per_s > 0)
    text += fmt::format(", {:.1f} {}/s", progress.units_per_s, progress.unit);
  if (progress.units_per_s > 0 && progress.total > progress.done) {
    text += fmt::format(", ETA {}",
                        format_duration(static_cast<double>(progress.total - progress.done) /
                                        progress.units_per_s));
  }
  if (!progress.detail.empty()) text += ", " + progress.detail;
  return text;
}

std::string bar(const Progress& progress, std::size_t width) {
  const std::string text = describe(progress);
  if (progress.total <= 0 || text.size() + 12 > width) return text.substr(0, width - 1);
  const std::size_t room = std::min<std::size_t>(30, width - text.size() - 4);
  const double share = std::clamp(
      static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(room));
  return fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(room - filled, '.'), text);
}

/// Draws a bar that is overwritten in place, and cleared when its work is done.
struct TerminalBar {
  Stopwatch since_drawn;
  bool drawn = false;
  void operator()(const Progress& progress) {
    const bool finished = progress.total > 0 && progress.done >= progress.total;
    if (drawn && !finished && since_drawn.seconds() < bar_interval_s) return;
    since_drawn.restart();
    drawn = !finished;
    fmt::print(stderr, "\r\033[K{}", finished ? "" : bar(progress, terminal_width()));
    std::fflush(stderr);
  }
};

/// Prints a line now and then, for logs and pipes.
struct PlainLines {
  Stopwatch since_printed;
  void operator()(const Progress& progress) {
    if (since_printed.seconds() < line_interval_s) return;
    since_printed.restart();
    fmt::print(stderr, "{}\n", describe(progress));
    std::fflush(stderr);
  }
};

}  // namespace

ProgressFunction make_progress(const SharedOptions& shared) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (shared.progress == ProgressMode::never) return {};
  if (shared.progress == ProgressMode::automatic && shared.quiet) return {};
  if (terminal)
    return [state = std::make_shared<TerminalBar>()](const Progress& p) { (*state)(p); };
  return [state = std::make_shared<PlainLines>()](const Progress& p) { (*state)(p); };
}

}  // namespace mpbench::commands
