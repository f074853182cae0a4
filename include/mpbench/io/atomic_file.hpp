#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace mpbench {

/// A file that appears whole or not at all: written beside its place, then fsync, rename, fsync of
/// the folder. Destroyed without commit(), it leaves nothing behind. Every failure throws Error
/// naming the path and the cause
/// ("No space left on device").
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Writes at a position; the file grows as needed and what is between reads as zero.
  void write_at(std::size_t offset, std::span<const std::byte> bytes);
  /// Makes the file appear under its name, replacing what was there.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Writes a whole file atomically.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The folder that a file is in; "." for a bare name.
std::filesystem::path containing_folder(const std::filesystem::path& path);

/// Makes a folder and its parents, and checks that files can be made in it; throws Error naming it
/// and the cause.
void make_writable_folder(const std::filesystem::path& folder);

}  // namespace mpbench
