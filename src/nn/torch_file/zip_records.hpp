#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string_view>

namespace mpbench::nn {

/// The records of a zip archive that lie in it uncompressed, as torch.save writes all of them.
/// APPNOTE.TXT 6.3.9 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), with zip64 and
/// data descriptors.
///
/// caffe2's PyTorchStreamReader, which torch.load uses, is not taken for files of unknown origin:
/// it compares no checksum, it allocates what the directory claims of a compressed record (4 GiB
/// for one of 246 bytes) and hands that out uninitialised. Here nothing is allocated by a number
/// that the file states, and no byte belongs to two records.
class ZipRecords {
 public:
  /// Keeps no copy: `bytes`, the whole file, must outlive it. Throws InputError naming the record
  /// or the structure when the archive is truncated, its directory and its records disagree, or
  /// records overlap, share a name or are encrypted.
  ZipRecords(std::span<const std::byte> bytes, std::filesystem::path path);

  bool contains(std::string_view name) const { return records_.contains(name); }
  /// A record's bytes, compared with their CRC-32. One of 0 is none: torch.save writes it when
  /// told to compute no checksums. Throws InputError when there is no such record, or it is
  /// compressed or damaged.
  std::span<const std::byte> bytes(std::string_view name) const;

  struct Record {
    std::span<const std::byte> bytes;
    std::uint32_t crc32 = 0;
    std::uint16_t method = 0;
  };
  /// By name. The names are the file's bytes.
  const std::map<std::string_view, Record>& all() const { return records_; }

 private:
  const Record& find(std::string_view name) const;

  std::filesystem::path path_;
  std::map<std::string_view, Record> records_;
};

}  // namespace mpbench::nn
