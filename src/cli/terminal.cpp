#include "terminal.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "mpbench/core/timer.hpp"

namespace mpbench::cli {
namespace {

constexpr double bar_interval_s = 0.1;
constexpr double line_interval_s = 10;

/// The log on stderr. It clears a progress bar's line first, so that the two never share one.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const char* colour = "";
    if (terminal_colours()) {
      if (message.level == spdlog::level::warn) colour = "\033[33m";
      if (message.level >= spdlog::level::err) colour = "\033[31m";
    }
    const std::string clear = isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
    std::string label;
    if (message.level != spdlog::level::info) {
      const auto name = spdlog::level::to_string_view(message.level);
      label = fmt::format("{}{}:{} ", colour, std::string_view(name.data(), name.size()),
                          *colour != '\0' ? "\033[0m" : "");
    }
    fmt::print(stderr, "{}{}{}\n", clear, label,
               std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override { std::fflush(stderr); }
};

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

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

bool terminal_colours() { return isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

void start_logging(const SharedOptions& shared) {
  auto sink = std::make_shared<StderrSink>();
  auto level = spdlog::level::from_str(shared.log_level);
  if (shared.quiet) level = std::max(level, spdlog::level::warn);
  sink->set_level(level);
  auto logger = std::make_shared<spdlog::logger>("mpbench", sink);
  logger->set_level(std::min(level, spdlog::level::info));  // The file keeps what --quiet hides.
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void add_log_file(const std::filesystem::path& path) {
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
  sink->set_pattern("%Y-%m-%dT%H:%M:%S%z %l: %v");
  spdlog::default_logger()->sinks().push_back(sink);
}

std::string format_duration(double seconds) {
  const auto whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60);
}

ProgressFunction make_progress(const SharedOptions& shared) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (shared.progress == ProgressMode::never) return {};
  if (shared.progress == ProgressMode::automatic && shared.quiet) return {};
  if (terminal)
    return [state = std::make_shared<TerminalBar>()](const Progress& p) { (*state)(p); };
  return [state = std::make_shared<PlainLines>()](const Progress& p) { (*state)(p); };
}

}  // namespace mpbench::cli
