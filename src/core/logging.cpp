#include "mpbench/core/logging.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string_view>

#include "mpbench/core/terminal.hpp"

namespace mpbench {
namespace {

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

}  // namespace

void start_logging(const std::string& level_name, bool quiet) {
  auto sink = std::make_shared<StderrSink>();
  auto level = spdlog::level::from_str(level_name);
  if (quiet) level = std::max(level, spdlog::level::warn);
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

}  // namespace mpbench
