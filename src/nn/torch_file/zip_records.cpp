#include "zip_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "crc32.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "zip archives are little-endian");

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t directory_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t zip64_end_signature = 0x06064b50;
constexpr std::uint32_t zip64_locator_signature = 0x07064b50;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t directory_bytes = 46;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t zip64_end_bytes = 56;
constexpr std::size_t zip64_locator_bytes = 20;
constexpr std::uint16_t zip64_extra = 0x0001;
constexpr std::uint16_t encrypted_flags = 0x2041;  // encrypted, strongly encrypted, masked headers
constexpr std::uint16_t descriptor_flag = 0x0008;  // the local header's sizes and CRC are zero
constexpr std::uint16_t stored = 0;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // the value itself is in the zip64 structure

/// Where the central directory lies, and how many entries it has.
struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
};

/// One entry of the central directory.
struct Entry {
  std::string_view name;
  std::uint64_t bytes = 0;
  std::uint64_t header = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
};

/// The file's words, each checked against the file's end.
class Archive {
 public:
  Archive(std::span<const std::byte> bytes, const std::filesystem::path& path)
      : bytes_(bytes), path_(path) {}

  [[noreturn]] void fail(std::string_view field, const std::string& problem) const {
    throw InputError(path_, std::string(field), problem);
  }
  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> range(std::uint64_t at, std::uint64_t count,
                                   std::string_view field) const {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      fail(field,
           fmt::format("{} bytes at {} lie outside the file of {} bytes", count, at, size()));
    }
    return bytes_.subspan(at, count);
  }
  template <typename Word>
  Word word(std::uint64_t at, std::string_view field = "zip directory") const {
    Word value{};
    std::memcpy(&value, range(at, sizeof value, field).data(), sizeof value);
    return value;
  }
  std::string_view text(std::uint64_t at, std::uint64_t count, std::string_view field) const {
    const auto found = range(at, count, field);
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  const std::filesystem::path& path_;
};

std::uint64_t find_end(const Archive& archive) {
  // The record is followed by a comment of up to 65535 bytes that only its last field measures.
  constexpr std::size_t longest_comment = 0xffff;
  for (std::size_t comment = 0; comment <= longest_comment; ++comment) {
    if (archive.size() < end_bytes + comment) break;
    const std::uint64_t at = archive.size() - end_bytes - comment;
    if (archive.word<std::uint32_t>(at) == end_signature &&
        archive.word<std::uint16_t>(at + 20) == comment) {
      return at;
    }
  }
  archive.fail("zip directory", "its end is missing: the file is truncated");
}

Directory find_directory(const Archive& archive) {
  const std::uint64_t end = find_end(archive);
  Directory directory{.entries = archive.word<std::uint16_t>(end + 10),
                      .bytes = archive.word<std::uint32_t>(end + 12),
                      .offset = archive.word<std::uint32_t>(end + 16)};
  std::uint64_t limit = end;
  if (end >= zip64_locator_bytes &&
      archive.word<std::uint32_t>(end - zip64_locator_bytes) == zip64_locator_signature) {
    limit = archive.word<std::uint64_t>(end - zip64_locator_bytes + 8);
    (void)archive.range(limit, zip64_end_bytes, "zip64 directory");
    if (archive.word<std::uint32_t>(limit) != zip64_end_signature) {
      archive.fail("zip64 directory", "its end is not where the locator says");
    }
    directory = {.entries = archive.word<std::uint64_t>(limit + 32),
                 .bytes = archive.word<std::uint64_t>(limit + 40),
                 .offset = archive.word<std::uint64_t>(limit + 48)};
  }
  if (directory.offset > limit || directory.bytes > limit - directory.offset) {
    archive.fail("zip directory", "it reaches beyond the end record");
  }
  return directory;
}

/// Replaces the values that did not fit 32 bits by those in the entry's zip64 field.
void read_zip64(const Archive& archive, std::uint64_t at, std::uint64_t end,
                std::uint64_t& compressed, Entry& entry) {
  while (end - at >= 4) {
    const auto id = archive.word<std::uint16_t>(at);
    const std::uint64_t next = at + 4 + archive.word<std::uint16_t>(at + 2);
    if (next > end) archive.fail(entry.name, "its extra field is longer than its entry");
    if (id == zip64_extra) {
      at += 4;
      for (std::uint64_t* value : {&entry.bytes, &compressed, &entry.header}) {
        if (*value != in_zip64) continue;
        if (next - at < 8) archive.fail(entry.name, "its zip64 field is too short");
        *value = archive.word<std::uint64_t>(at);
        at += 8;
      }
      return;
    }
    at = next;
  }
}

Entry read_entry(const Archive& archive, std::uint64_t& at) {
  (void)archive.range(at, directory_bytes, "zip directory");
  if (archive.word<std::uint32_t>(at) != directory_signature) {
    archive.fail("zip directory", fmt::format("there is no entry at {}", at));
  }
  Entry entry{.bytes = archive.word<std::uint32_t>(at + 24),
              .header = archive.word<std::uint32_t>(at + 42),
              .flags = archive.word<std::uint16_t>(at + 8),
              .method = archive.word<std::uint16_t>(at + 10),
              .crc32 = archive.word<std::uint32_t>(at + 16)};
  std::uint64_t compressed = archive.word<std::uint32_t>(at + 20);
  const auto name_bytes = archive.word<std::uint16_t>(at + 28);
  const auto extra_bytes = archive.word<std::uint16_t>(at + 30);
  const auto comment_bytes = archive.word<std::uint16_t>(at + 32);
  entry.name = archive.text(at + directory_bytes, name_bytes, "zip directory");
  const std::uint64_t extra = at + directory_bytes + name_bytes;
  (void)archive.range(extra, std::uint64_t{extra_bytes} + comment_bytes, "zip directory");
  read_zip64(archive, extra, extra + extra_bytes, compressed, entry);
  at = extra + extra_bytes + comment_bytes;
  if ((entry.flags & encrypted_flags) != 0) archive.fail(entry.name, "it is encrypted");
  if (entry.method == stored && compressed != entry.bytes) {
    archive.fail(entry.name, "its compressed and uncompressed sizes differ");
  }
  // What lies in the file; a compressed record is refused where it is asked for.
  entry.bytes = compressed;
  return entry;
}

/// Where a record's bytes begin: its local header tells, and has to agree with the directory.
std::uint64_t find_data(const Archive& archive, const Entry& entry) {
  (void)archive.range(entry.header, local_bytes, entry.name);
  if (archive.word<std::uint32_t>(entry.header) != local_signature) {
    archive.fail(entry.name, fmt::format("there is no record at {}", entry.header));
  }
  const auto flags = archive.word<std::uint16_t>(entry.header + 6);
  const auto name_bytes = archive.word<std::uint16_t>(entry.header + 26);
  const auto extra_bytes = archive.word<std::uint16_t>(entry.header + 28);
  const auto local_size = archive.word<std::uint32_t>(entry.header + 18);
  const bool size_agrees = (flags & descriptor_flag) != 0 || local_size == in_zip64 ||
                           local_size == static_cast<std::uint32_t>(entry.bytes);
  if (archive.text(entry.header + local_bytes, name_bytes, entry.name) != entry.name ||
      archive.word<std::uint16_t>(entry.header + 8) != entry.method ||
      (flags & encrypted_flags) != 0 || !size_agrees) {
    archive.fail(entry.name, "its header and the zip directory disagree");
  }
  return entry.header + local_bytes + name_bytes + extra_bytes;
}

}  // namespace

ZipRecords::ZipRecords(std::span<const std::byte> bytes, std::filesystem::path path)
    : path_(std::move(path)) {
  const Archive archive(bytes, path_);
  const Directory directory = find_directory(archive);
  const std::uint64_t directory_end = directory.offset + directory.bytes;
  std::vector<Entry> entries;
  for (std::uint64_t at = directory.offset; at < directory_end;) {
    entries.push_back(read_entry(archive, at));
    if (at > directory_end) archive.fail(entries.back().name, "its directory entry is cut off");
  }
  if (entries.size() != directory.entries) {
    archive.fail("zip directory",
                 fmt::format("expected {} entries, found {}", directory.entries, entries.size()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.header < b.header; });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.header < end) archive.fail(entry.name, "it overlaps another record");
    const std::uint64_t data = find_data(archive, entry);
    if (data > directory.offset || entry.bytes > directory.offset - data) {
      archive.fail(entry.name, fmt::format("its {} bytes reach beyond the records' end; the file "
                                           "may be truncated",
                                           entry.bytes));
    }
    end = data + entry.bytes;
    const Record record{bytes.subspan(data, entry.bytes), entry.crc32, entry.method};
    if (!records_.emplace(entry.name, record).second) {
      archive.fail(entry.name, "two records have this name");
    }
  }
}

const ZipRecords::Record& ZipRecords::find(std::string_view name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) {
    throw InputError(path_, std::string(name), "the archive has no such record");
  }
  if (found->second.method != stored) {
    throw InputError(path_, std::string(name),
                     fmt::format("it is compressed (method {}); torch.save stores records as they "
                                 "are",
                                 found->second.method));
  }
  return found->second;
}

std::span<const std::byte> ZipRecords::bytes(std::string_view name) const {
  const Record& record = find(name);
  if (record.crc32 != 0 && crc32(record.bytes) != record.crc32) {
    throw InputError(path_, std::string(name), "it is damaged: its checksum does not match");
  }
  return record.bytes;
}

}  // namespace mpbench::nn
