#include "mpbench/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mpbench/core/error.hpp"

namespace mpbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view doing) {
  throw Error(fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(errno)));
}

void sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;  // A folder that can be written but not read: the rename itself is done.
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

fs::path containing_folder(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)),
      temporary_(containing_folder(path_) /
                 fmt::format(".{}.{}.tmp", path_.filename().string(), getpid())) {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, "write");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::write_at(std::size_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "write");
    offset += static_cast<std::size_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail(path_, "write");
  const int closed = close(descriptor_);
  descriptor_ = -1;
  if (closed != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int cause = errno;
    unlink(temporary_.c_str());
    errno = cause;
    fail(path_, "write");
  }
  sync_folder(containing_folder(path_));
}

void write_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void make_writable_folder(const fs::path& folder) {
  std::error_code cause;
  fs::create_directories(folder, cause);
  if (cause)
    throw Error(fmt::format("{}: cannot make this folder: {}", folder.string(), cause.message()));
  // Root may pass an access() check that a read-only file system then refuses: make a file to know.
  std::string probe = (folder / ".mpbench-XXXXXX").string();
  const int descriptor = mkstemp(probe.data());
  if (descriptor < 0) fail(folder, "write into this folder");
  close(descriptor);
  unlink(probe.c_str());
}

}  // namespace mpbench
