#include "partial_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::data {
namespace {

using Json = nlohmann::json;

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw Error(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
}

int open_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path);
  return descriptor;
}

void write_all(int descriptor, const std::filesystem::path& path, std::span<const std::byte> bytes,
               off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

/// Reads up to the span's length; returns what there was.
std::size_t read_some(int descriptor, const std::filesystem::path& path, std::span<std::byte> bytes,
                      off_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(descriptor, bytes.data() + done, bytes.size() - done,
                                offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::string header_line(const std::string& key) { return Json{{"key", key}}.dump() + '\n'; }

}  // namespace

PartialCache::PartialCache(std::filesystem::path cache, bool wait)
    : cache_(std::move(cache)),
      part_path_(cache_.string() + ".part"),
      journal_path_(cache_.string() + ".part.journal") {
  lock(wait);
  part_ = open_file(part_path_);
}

PartialCache::~PartialCache() {
  if (part_ >= 0) ::close(part_);
  if (journal_ >= 0) ::close(journal_);  // and lets go of the lock
}

void PartialCache::lock(bool wait) {
  bool said = false;
  while (true) {
    journal_ = open_file(journal_path_);
    if (::flock(journal_, LOCK_EX | LOCK_NB) == 0) {
      // Whoever had it may have deleted it meanwhile: then this lock is on a file without a name.
      struct stat ours {};
      struct stat named {};
      if (::fstat(journal_, &ours) == 0 && ::stat(journal_path_.c_str(), &named) == 0 &&
          ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
        return;
      }
    } else if (errno != EWOULDBLOCK) {
      const int error = errno;
      ::close(std::exchange(journal_, -1));
      errno = error;
      fail(journal_path_);
    } else if (!wait) {
      ::close(std::exchange(journal_, -1));
      throw Error(fmt::format("{}: another process is writing this cache", cache_.string()));
    } else {
      if (!std::exchange(said, true)) {
        spdlog::info("another process is writing {}; waiting for it", cache_.string());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (interrupt_requested()) {
        ::close(std::exchange(journal_, -1));
        throw Interrupted();
      }
    }
    ::close(std::exchange(journal_, -1));
  }
}

void PartialCache::start_anew(const std::string& key) {
  if (::ftruncate(part_, 0) != 0) fail(part_path_);
  if (::ftruncate(journal_, 0) != 0) fail(journal_path_);
  append(header_line(key));
}

void PartialCache::append(const std::string& line) {
  const off_t end = ::lseek(journal_, 0, SEEK_END);
  if (end < 0) fail(journal_path_);
  write_all(journal_, journal_path_, std::as_bytes(std::span(line)), end);
}

std::int64_t PartialCache::resume(const std::string& key, std::span<const std::int64_t> input_times,
                                  std::size_t slot_bytes) {
  slot_bytes_ = slot_bytes;
  digests_.assign(input_times.size(), {});
  records_.assign(input_times.size(), {});
  struct stat status {};
  if (::fstat(journal_, &status) != 0) fail(journal_path_);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  text.resize(read_some(journal_, journal_path_, std::as_writable_bytes(std::span(text)), 0));

  const std::string header = header_line(key);
  if (!text.starts_with(header)) {
    start_anew(key);
    return 0;
  }
  std::int64_t done = 0;
  std::vector<std::byte> image(slot_bytes);
  std::size_t at = header.size();
  while (true) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a line that a kill cut off
    const auto line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr,
                                  /*allow_exceptions=*/false);
    if (!line.is_array() || line.size() != 4 || !line[0].is_number_unsigned() ||
        !line[1].is_string() || !line[2].is_number_integer() || !line[3].is_string()) {
      break;
    }
    at = end + 1;
    const auto place = line[0].get<std::size_t>();
    if (place >= digests_.size() || line[2].get<std::int64_t>() != input_times[place]) continue;
    const auto got = read_some(part_, part_path_, image, static_cast<off_t>(place * slot_bytes));
    const auto& digest = line[1].get_ref<const std::string&>();
    if (got != slot_bytes || sha256_hex(image) != digest) continue;
    if (!is_done(place)) ++done;
    digests_[place] = digest;
    records_[place] = line[3].get<std::string>();
  }
  if (::ftruncate(journal_, static_cast<off_t>(at)) != 0) fail(journal_path_);
  return done;
}

void PartialCache::put(std::size_t place, std::span<const std::byte> image, std::int64_t input_time,
                       const std::string& record) {
  const auto digest = sha256_hex(image);
  write_all(part_, part_path_, image, static_cast<off_t>(place * slot_bytes_));
  const std::lock_guard lock(mutex_);
  append(Json{place, digest, input_time, record}.dump() + '\n');
  digests_[place] = digest;
  records_[place] = record;
}

void PartialCache::get(std::size_t place, std::span<std::byte> image) const {
  const auto got = read_some(part_, part_path_, image, static_cast<off_t>(place * slot_bytes_));
  if (got != image.size()) throw Error(fmt::format("{}: it was cut short", part_path_.string()));
}

void PartialCache::remove() {
  std::error_code ignored;
  std::filesystem::remove(part_path_, ignored);
  std::filesystem::remove(journal_path_, ignored);
}

}  // namespace mpbench::data
