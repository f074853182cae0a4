#include "mpbench/io/file_type.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace mpbench {
namespace {

using namespace std::string_view_literals;

struct Signature {
  FileType type;
  std::size_t at;
  std::string_view bytes;
};

// Long ones first: "BM" begins many a text.
constexpr std::array signatures{
    Signature{FileType::git_lfs_pointer, 0, "version https://git-lfs.github.com/spec/"sv},
    Signature{FileType::dicom, 128, "DICM"sv},
    Signature{FileType::tar, 257, "ustar"sv},
    Signature{FileType::jpeg2000, 0, "\0\0\0\x0CjP  \r\n\x87\n"sv},
    Signature{FileType::png, 0, "\x89PNG\r\n\x1A\n"sv},
    Signature{FileType::hdf5, 0, "\x89HDF\r\n\x1A\n"sv},
    Signature{FileType::numpy, 0, "\x93NUMPY"sv},
    Signature{FileType::seven_zip, 0, "7z\xBC\xAF\x27\x1C"sv},
    Signature{FileType::xz, 0,
              "\xFD"
              "7zXZ\0"sv},
    Signature{FileType::rar, 0, "Rar!\x1A\x07"sv},
    Signature{FileType::zip, 0, "PK\x03\x04"sv},
    Signature{FileType::zip, 0, "PK\x05\x06"sv},
    Signature{FileType::zstandard, 0, "\x28\xB5\x2F\xFD"sv},
    Signature{FileType::parquet, 0, "PAR1"sv},
    Signature{FileType::pdf, 0, "%PDF-"sv},
    Signature{FileType::gif, 0, "GIF8"sv},
    Signature{FileType::tiff, 0, "II*\0"sv},
    Signature{FileType::tiff, 0, "MM\0*"sv},
    Signature{FileType::tiff, 0, "II+\0"sv},
    Signature{FileType::tiff, 0, "MM\0+"sv},
    Signature{FileType::webp, 8, "WEBP"sv},
    Signature{FileType::heif, 4, "ftyphei"sv},
    Signature{FileType::heif, 4, "ftypmif1"sv},
    Signature{FileType::heif, 4, "ftypavif"sv},
    Signature{FileType::jpeg2000, 0, "\xFF\x4F\xFF\x51"sv},
    Signature{FileType::idx, 0, "\0\0\x08\x03"sv},
    Signature{FileType::idx, 0, "\0\0\x08\x01"sv},
    Signature{FileType::apple_double, 0, "\0\x05\x16\x07"sv},
    Signature{FileType::jpeg, 0, "\xFF\xD8\xFF"sv},
    Signature{FileType::bzip2, 0, "BZh"sv},
    Signature{FileType::gzip, 0, "\x1F\x8B"sv},
    Signature{FileType::utf16_text, 0, "\xFF\xFE"sv},
    Signature{FileType::utf16_text, 0, "\xFE\xFF"sv},
    Signature{FileType::bmp, 0, "BM"sv}};

}  // namespace

FileType file_type(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), file_type_bytes));
  for (const Signature& one : signatures) {
    if (text.size() >= one.at && text.substr(one.at).starts_with(one.bytes)) return one.type;
  }
  return FileType::unknown;
}

FileType file_type(const std::filesystem::path& path) {
  std::error_code error;
  // Opening a pipe would wait for its writer.
  if (!std::filesystem::is_regular_file(path, error)) return FileType::unknown;
  std::array<char, file_type_bytes> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return file_type(std::as_bytes(std::span(start)).first(static_cast<std::size_t>(file.gcount())));
}

std::string describe(FileType type) {
  switch (type) {
    case FileType::unknown:
      return "";
    case FileType::git_lfs_pointer:
      return "a Git LFS pointer, not the file itself: run git lfs pull where it was cloned";
    case FileType::zip:
      return "a ZIP archive";
    case FileType::gzip:
      return "a gzip file";
    case FileType::bzip2:
      return "a bzip2 file";
    case FileType::xz:
      return "an xz file";
    case FileType::zstandard:
      return "a Zstandard file";
    case FileType::seven_zip:
      return "a 7z archive";
    case FileType::rar:
      return "a RAR archive";
    case FileType::tar:
      return "a tar archive";
    case FileType::dicom:
      return "a DICOM file";
    case FileType::png:
      return "a PNG image";
    case FileType::jpeg:
      return "a JPEG image";
    case FileType::bmp:
      return "a BMP image";
    case FileType::gif:
      return "a GIF image";
    case FileType::tiff:
      return "a TIFF image";
    case FileType::webp:
      return "a WebP image";
    case FileType::heif:
      return "a HEIF or AVIF image";
    case FileType::jpeg2000:
      return "a JPEG 2000 image";
    case FileType::numpy:
      return "a NumPy array";
    case FileType::hdf5:
      return "an HDF5 file";
    case FileType::parquet:
      return "a Parquet file";
    case FileType::pdf:
      return "a PDF document";
    case FileType::idx:
      return "an idx file";
    case FileType::apple_double:
      return "an AppleDouble file, which macOS writes beside the file itself";
    case FileType::utf16_text:
      return "text in UTF-16";
  }
  return "";
}

bool is_archive(FileType type) {
  switch (type) {
    case FileType::zip:
    case FileType::gzip:
    case FileType::bzip2:
    case FileType::xz:
    case FileType::zstandard:
    case FileType::seven_zip:
    case FileType::rar:
    case FileType::tar:
      return true;
    default:
      return false;
  }
}

bool is_clutter(const std::filesystem::path& path) {
  constexpr std::array names{"__MACOSX"sv,    "Thumbs.db"sv,    "thumbs.db"sv,
                             "ehthumbs.db"sv, "desktop.ini"sv,  "Desktop.ini"sv,
                             "@eaDir"sv,      "$RECYCLE.BIN"sv, "System Volume Information"sv,
                             "lost+found"sv,  "Icon\r"sv};
  const auto name = path.filename();
  return name.native().starts_with('.') ||
         std::find(names.begin(), names.end(), std::string_view(name.native())) != names.end();
}

}  // namespace mpbench
