#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../src/nn/torch_file/crc32.hpp"

/// Files as torch.save writes them, and as it never would: pickles and zip archives in bytes.
namespace mpbench::nn {

template <typename Number>
std::string number_bytes(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Pieces of a pickle of protocol 2.
namespace pickle {

inline std::string text(std::string_view value) {
  return std::string("X") + number_bytes(static_cast<std::uint32_t>(value.size())) +
         std::string(value);
}
inline std::string integer(std::int64_t value) {
  return std::string("\x8a\x08") + number_bytes(value);
}
inline std::string name(std::string_view module, std::string_view member) {
  return std::string("c") + std::string(module) + "\n" + std::string(member) + "\n";
}
inline std::string tuple(std::initializer_list<std::string> items) {
  std::string bytes = "(";
  for (const auto& item : items) bytes += item;
  return bytes + "t";
}
inline std::string integers(const std::vector<std::int64_t>& values) {
  std::string bytes = "(";
  for (const std::int64_t value : values) bytes += integer(value);
  return bytes + "t";
}
inline std::string call(const std::string& function, std::initializer_list<std::string> arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string ordered_dict() { return name("collections", "OrderedDict") + ")R"; }
/// An OrderedDict of entries that are pickles themselves.
inline std::string dict(std::initializer_list<std::pair<std::string, std::string>> entries) {
  std::string bytes = ordered_dict() + "(";
  for (const auto& [key, value] : entries) bytes += text(key) + value;
  return bytes + "u";
}

struct Storage {
  std::string key = "0";
  std::int64_t elements = 0;
  std::string type = "FloatStorage";
  std::string module = "torch";
};
inline std::string storage(const Storage& storage) {
  return tuple({text("storage"), name(storage.module, storage.type), text(storage.key), text("cpu"),
                integer(storage.elements)}) +
         "Q";
}
inline std::string tensor(const Storage& of, const std::vector<std::int64_t>& sizes,
                          const std::vector<std::int64_t>& strides, std::int64_t offset = 0) {
  return call(
      name("torch._utils", "_rebuild_tensor_v2"),
      {storage(of), integer(offset), integers(sizes), integers(strides), "\x89", ordered_dict()});
}
/// A whole one.
inline std::string whole(const std::string& value) { return std::string("\x80\x02") + value + "."; }

}  // namespace pickle

struct ZipEntry {
  std::string name;
  std::string bytes;
  std::uint16_t method = 0;
  std::uint16_t flags = 0x0808;  // torch.save's: the sizes follow the bytes, the name is UTF-8
};

/// An archive laid out as torch.save's: padded local headers without sizes, descriptors behind the
/// bytes, and a zip64 end beside the plain one.
inline std::string zip_archive(const std::vector<ZipEntry>& entries) {
  std::string zip;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    const auto header = static_cast<std::uint32_t>(zip.size());
    const auto size = static_cast<std::uint32_t>(entry.bytes.size());
    const std::uint32_t sum = crc32(as_bytes(entry.bytes));
    const auto name_size = static_cast<std::uint16_t>(entry.name.size());
    const std::size_t unpadded = zip.size() + 30 + entry.name.size() + 4;
    const auto padding = static_cast<std::uint16_t>((64 - unpadded % 64) % 64);
    const std::string kind = number_bytes(entry.flags) + number_bytes(entry.method) +
                             std::string(4, '\0');  // time and date
    zip += "PK\x03\x04" + std::string(2, '\0') + kind + std::string(12, '\0') +
           number_bytes(name_size) + number_bytes(static_cast<std::uint16_t>(padding + 4)) +
           entry.name + "FB" + number_bytes(padding) + std::string(padding, 'Z') + entry.bytes +
           "PK\x07\x08" + number_bytes(sum) + number_bytes(size) + number_bytes(size);
    directory += "PK\x01\x02" + std::string(4, '\0') + kind + number_bytes(sum) +
                 number_bytes(size) + number_bytes(size) + number_bytes(name_size) +
                 std::string(12, '\0') + number_bytes(header) + entry.name;
  }
  const std::uint64_t begin = zip.size();
  const std::uint64_t count = entries.size();
  const std::uint64_t size = directory.size();
  zip += directory;
  const std::uint64_t end = zip.size();
  zip += "PK\x06\x06" + number_bytes(std::uint64_t{44}) + std::string(12, '\0') +
         number_bytes(count) + number_bytes(count) + number_bytes(size) + number_bytes(begin);
  zip += "PK\x06\x07" + std::string(4, '\0') + number_bytes(end) + number_bytes(std::uint32_t{1});
  zip += "PK\x05\x06" + std::string(4, '\0') + number_bytes(static_cast<std::uint16_t>(count)) +
         number_bytes(static_cast<std::uint16_t>(count)) +
         number_bytes(static_cast<std::uint32_t>(size)) +
         number_bytes(static_cast<std::uint32_t>(begin)) + std::string(2, '\0');
  return zip;
}

/// The archive of a pickle and its storages "0", "1", ... as torch.save writes it.
inline std::string pth_archive(const std::string& pickled,
                               const std::vector<std::string>& storages) {
  std::vector<ZipEntry> entries{{"net/data.pkl", pickle::whole(pickled)},
                                {"net/byteorder", "little"}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    entries.push_back({"net/data/" + std::to_string(i), storages[i]});
  }
  entries.push_back({"net/version", "3\n"});
  return zip_archive(entries);
}

inline std::string float_bytes(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes += number_bytes(value);
  return bytes;
}

/// The floats 0 to 5, and a state_dict whose "w" is a view of them.
inline const std::string six = float_bytes({0, 1, 2, 3, 4, 5});

inline std::string six_of(const std::vector<std::int64_t>& sizes,
                          const std::vector<std::int64_t>& strides, std::int64_t offset = 0) {
  return pickle::dict({{"w", pickle::tensor({.elements = 6}, sizes, strides, offset)}});
}

inline std::filesystem::path write_bytes(const std::filesystem::path& path,
                                         std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

}  // namespace mpbench::nn
