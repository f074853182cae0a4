#include "mpbench/io/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mpbench/core/error.hpp"
#include "mpbench/core/file_descriptor.hpp"

namespace mpbench {
namespace {

constexpr std::size_t most_read = std::size_t{256} << 20;

}  // namespace

FileBytes::FileBytes(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& why) {
    throw Error(fmt::format("{}: cannot read: {}", path.string(), why));
  };
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(std::strerror(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(S_ISDIR(status.st_mode) ? "is a folder" : "is not a file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > most_read) {
    mapped_ = std::make_unique<MappedFile>(path);
    return;
  }
  read_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  std::size_t done = 0;
  while (done < size_) {
    const ssize_t count = read(file.get(), read_.get() + done, size_ - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(std::strerror(errno));
    if (count == 0) fail("it became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace mpbench
