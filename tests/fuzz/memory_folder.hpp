#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "support/memory_file.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::fuzz {

/// A folder whose files are in memory: readers take a path, and are called thousands of times a
/// second.
class MemoryFolder {
 public:
  /// Replaces what is in a file; its path.
  std::filesystem::path write(const std::string& name, std::span<const std::byte> bytes) {
    const auto path = folder_.path() / name;
    const auto [file, is_new] = files_.try_emplace(name);
    const auto content =
        file->second.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (is_new) std::filesystem::create_symlink(content, path);
    return path;
  }
  std::filesystem::path write(const std::string& name, std::string_view text) {
    return write(name, std::as_bytes(std::span(text)));
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  std::map<std::string, nn::MemoryFile> files_;
};

}  // namespace mpbench::fuzz
