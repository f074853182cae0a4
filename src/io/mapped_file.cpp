#include "mpbench/io/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mpbench/core/error.hpp"

namespace mpbench {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto fail = [&](int cause) {
    throw Error(fmt::format("{}: cannot read: {}", path.string(), std::strerror(cause)));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int cause = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    close(descriptor);
    fail(cause);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) {
    void* mapped = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    const int cause = errno;
    close(descriptor);
    if (mapped == MAP_FAILED) fail(cause);
    data_ = static_cast<const std::byte*>(mapped);
  } else {
    close(descriptor);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace mpbench
