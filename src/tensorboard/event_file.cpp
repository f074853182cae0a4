#include "mpbench/tensorboard/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>

#include "event_messages.hpp"
#include "event_record.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"

namespace mpbench::tensorboard {
namespace {

namespace fs = std::filesystem;

// TensorBoard takes every file with "tfevents" in its name, and reads those of a folder in the
// order of their names: they are numbered, as a clock may be set back.
constexpr std::string_view name_begin = "events.out.tfevents.";
constexpr std::string_view name_end = ".mpbench";
constexpr std::size_t digits = 10;

std::string event_file_name(std::int64_t number) {
  return fmt::format("{}{:010}{}", name_begin, number, name_end);
}

/// The number in a name; nothing for a name of another kind.
std::optional<std::int64_t> number_in(const std::string& name) {
  if (name.size() != name_begin.size() + digits + name_end.size() ||
      !name.starts_with(name_begin) || !name.ends_with(name_end)) {
    return std::nullopt;
  }
  const char* begin = name.data() + name_begin.size();
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(begin, begin + digits, number);
  if (problem != std::errc() || end != begin + digits) return std::nullopt;
  return number;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    if (number_in(entry->path().filename().string())) files.push_back(entry->path());
  }
  return files;
}

std::int64_t largest_number(const fs::path& folder) {
  std::int64_t largest = 0;
  for (const fs::path& file : event_files(folder)) {
    largest = std::max(largest, number_in(file.filename().string()).value_or(0));
  }
  return largest;
}

EventTime now(std::int64_t step) {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {.wall_time = std::chrono::duration<double>(since_1970).count(), .step = step};
}

}  // namespace

EventFile::EventFile(const fs::path& folder, std::int64_t first_step) {
  make_writable_folder(folder);
  number_ = largest_number(folder);
  int descriptor = -1;
  do {
    path_ = folder / event_file_name(++number_);
    descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0) {
    throw Error(fmt::format("{}: cannot write: {}", path_.string(), std::strerror(errno)));
  }
  file_.emplace(descriptor);
  append(file_version_event(now(0)));
  append(restart_event(now(first_step)));
}

void EventFile::add_scalars(std::int64_t step, std::span<const Scalar> scalars) {
  append(scalars_event(now(step), scalars));
}

void EventFile::add_histogram(std::int64_t step, std::string_view tag, const Histogram& histogram) {
  append(histogram_event(now(step), tag, histogram));
}

void EventFile::add_image(std::int64_t step, std::string_view tag, const Image& image) {
  append(image_event(now(step), tag, image));
}

void EventFile::add_text(std::int64_t step, std::string_view tag, std::string_view markdown) {
  append(text_event(now(step), tag, markdown));
}

void EventFile::add_session_start(std::span<const Hyperparameter> hyperparameters,
                                  std::span<const std::string> metrics) {
  append(session_start_event(now(0), hyperparameters, metrics));
}

void EventFile::add_session_end(SessionEnd end) { append(session_end_event(now(0), end)); }

void EventFile::append(const std::string& event) {
  if (event.empty()) return;
  const std::string record = event_record(event);
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_->get(), rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    const int cause = errno;
    if (::ftruncate(file_->get(), bytes_) != 0) {
      spdlog::warn("{}: its last event is cut short", path_.string());
    }
    throw Error(fmt::format("{}: cannot write: {}", path_.string(), std::strerror(cause)));
  }
  bytes_ += static_cast<std::int64_t>(record.size());
}

void remove_event_files(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return;
  for (const fs::path& file : event_files(folder)) fs::remove(file);
  fs::remove(folder, ignored);  // only where it is empty
}

}  // namespace mpbench::tensorboard
