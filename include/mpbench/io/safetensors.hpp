#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/mapped_file.hpp"

/// The safetensors format: a little-endian u64 with the header's length, a JSON header, then raw
/// bytes. https://github.com/huggingface/safetensors#format
namespace mpbench::safetensors {

/// One tensor's place in a file. `dtype` is the format's name ("U8", "U16", "F32", "I64").
struct TensorInfo {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  /// Byte range in the data section; filled by layout().
  std::size_t begin = 0;
  std::size_t end = 0;
};

using Metadata = std::map<std::string, std::string>;

/// Bytes of one element; throws Error for a dtype the format does not know.
std::size_t element_bytes(const std::string& dtype);

/// Bytes of a whole tensor; throws Error on a negative dimension or an overflow.
std::size_t tensor_bytes(const std::string& dtype, std::span<const std::int64_t> shape);

/// Writes a file whose tensors are known beforehand and whose bytes come piece by piece, in any
/// order.
class Writer {
 public:
  /// Lays the tensors out in the order given. The data section starts 64-byte aligned.
  Writer(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
         const Metadata& metadata);
  /// Writes bytes at an offset within a tensor; throws Error when they do not fit.
  void write(const std::string& tensor, std::size_t offset, std::span<const std::byte> bytes);
  /// Makes the file appear under its name.
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  std::vector<TensorInfo> tensors_;
  std::size_t data_start_ = 0;
};

/// A file mapped for reading. The header is checked before anything is used: its length, each
/// tensor's range against its shape and the file's size, and that no two tensors overlap. Throws
/// InputError naming the field.
class File {
 public:
  explicit File(const std::filesystem::path& path);
  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }
  /// A tensor's bytes; throws InputError when the file has none of that name.
  std::span<const std::byte> bytes(const std::string& tensor) const;
  const TensorInfo& info(const std::string& tensor) const;

 private:
  std::filesystem::path path_;
  MappedFile mapped_;
  std::vector<TensorInfo> tensors_;  // in the order of their bytes
  /// By name: how many there are is the file's choice.
  std::unordered_map<std::string_view, std::size_t> places_;
  Metadata metadata_;
  std::size_t data_start_ = 0;
};

}  // namespace mpbench::safetensors
