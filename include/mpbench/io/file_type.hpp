#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace mpbench {

/// What a file is by its first bytes, whatever its name: for messages about a file that is not what
/// is wanted.
enum class FileType {
  unknown,
  git_lfs_pointer,  ///< the few lines of text that Git keeps in place of a large file
  zip,              ///< also .npz, .xlsx and PyTorch's .pth
  gzip,
  bzip2,
  xz,
  zstandard,
  seven_zip,
  rar,
  tar,
  dicom,
  png,
  jpeg,
  bmp,
  gif,
  tiff,
  webp,
  heif,
  jpeg2000,
  numpy,
  hdf5,
  parquet,
  pdf,
  idx,  ///< idx1 or idx3 of unsigned bytes
  apple_double,
  utf16_text
};

/// So many bytes of a file are enough to tell its type.
inline constexpr std::size_t file_type_bytes = 512;

/// Decided by at most the first file_type_bytes.
FileType file_type(std::span<const std::byte> bytes);

/// The same of a file on disk; unknown where it cannot be read.
FileType file_type(const std::filesystem::path& path);

/// "a ZIP archive", "a TIFF image", "a Git LFS pointer, not the file itself: run git lfs pull
/// where it was cloned"; "" for unknown.
std::string describe(FileType type);

/// Whether files lie packed in it.
bool is_archive(FileType type);

/// Whether an operating system or a program has left it beside the files that count: .DS_Store,
/// ._name (AppleDouble), __MACOSX, Thumbs.db, desktop.ini, .ipynb_checkpoints, @eaDir and their
/// like, and every other name with a leading dot.
bool is_clutter(const std::filesystem::path& path);

}  // namespace mpbench
