#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "mpbench/io/mapped_file.hpp"

namespace mpbench {

/// A whole file's bytes. Up to 256 MiB are read, so that a disk that fails, or a file that is cut
/// short meanwhile, is an error; of a mapping it would be a signal that ends the process. Larger
/// files are mapped.
class FileBytes {
 public:
  /// Throws Error naming the path when the file cannot be opened or read, or is no regular file; it
  /// does not wait for a pipe's writer.
  explicit FileBytes(const std::filesystem::path& path);
  std::span<const std::byte> bytes() const {
    return mapped_ ? mapped_->bytes() : std::span<const std::byte>(read_.get(), size_);
  }

 private:
  std::unique_ptr<MappedFile> mapped_;
  std::unique_ptr<std::byte[]> read_;
  std::size_t size_ = 0;
};

}  // namespace mpbench
