#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace mpbench {

/// A whole file mapped read-only. Throws Error naming the path when it cannot be opened or is a
/// folder.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mpbench
