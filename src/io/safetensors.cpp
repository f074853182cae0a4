#include "mpbench/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "mpbench/core/error.hpp"
#include "mpbench/io/foreign_file.hpp"
#include "mpbench/io/json_text.hpp"

namespace mpbench::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

// The reference implementation's own limit on the header.
constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr std::size_t alignment = 64;

struct DtypeBytes {
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array dtypes{DtypeBytes{"BOOL", 1}, DtypeBytes{"U8", 1},  DtypeBytes{"I8", 1},
                            DtypeBytes{"U16", 2},  DtypeBytes{"I16", 2}, DtypeBytes{"F16", 2},
                            DtypeBytes{"BF16", 2}, DtypeBytes{"U32", 4}, DtypeBytes{"I32", 4},
                            DtypeBytes{"F32", 4},  DtypeBytes{"U64", 8}, DtypeBytes{"I64", 8},
                            DtypeBytes{"F64", 8}};

const TensorInfo* find(const std::vector<TensorInfo>& tensors, const std::string& name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const TensorInfo& info) { return info.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

}  // namespace

std::size_t element_bytes(const std::string& dtype) {
  for (const auto& known : dtypes) {
    if (known.name == dtype) return known.bytes;
  }
  throw Error(fmt::format("unknown safetensors dtype '{}'", dtype));
}

std::size_t tensor_bytes(const std::string& dtype, std::span<const std::int64_t> shape) {
  std::size_t total = element_bytes(dtype);
  for (const std::int64_t extent : shape) {
    std::size_t product = 0;
    if (extent < 0 || __builtin_mul_overflow(total, static_cast<std::size_t>(extent), &product)) {
      throw Error("a tensor's shape is negative or too large");
    }
    total = product;
  }
  return total;
}

Writer::Writer(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
               const Metadata& metadata)
    : file_(path), tensors_(std::move(tensors)) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (auto& info : tensors_) {
    info.begin = offset;
    info.end = offset + tensor_bytes(info.dtype, info.shape);
    offset = info.end;
    header[info.name] = {
        {"dtype", info.dtype}, {"shape", info.shape}, {"data_offsets", {info.begin, info.end}}};
  }
  std::string text = header.dump();
  // Trailing spaces are allowed by the format, and align the data for the vector loads of whoever
  // maps it.
  text.resize((text.size() + 8 + alignment - 1) / alignment * alignment - 8, ' ');
  const std::uint64_t length = text.size();
  file_.write(std::as_bytes(std::span(&length, 1)));
  file_.write(text);
  data_start_ = 8 + text.size();
  if (offset > 0) {
    // The file has its full size from the start, whatever is written in which order.
    const std::byte zero{};
    file_.write_at(data_start_ + offset - 1, {&zero, 1});
  }
}

void Writer::write(const std::string& tensor, std::size_t offset,
                   std::span<const std::byte> bytes) {
  const TensorInfo* info = find(tensors_, tensor);
  if (info == nullptr) throw Error(fmt::format("no tensor '{}' was declared", tensor));
  if (offset > info->end - info->begin || bytes.size() > info->end - info->begin - offset) {
    throw Error(
        fmt::format("{} bytes at {} do not fit into tensor '{}'", bytes.size(), offset, tensor));
  }
  file_.write_at(data_start_ + info->begin + offset, bytes);
}

File::File(const std::filesystem::path& path) : path_(path), mapped_(path) {
  const auto all = mapped_.bytes();
  const auto fail = [&](const std::string& field, const std::string& problem) {
    throw InputError(path_, field, problem);
  };
  std::uint64_t length = 0;
  if (const auto foreign = describe_foreign_file(all)) fail("file", *foreign);
  if (all.size() < sizeof length) fail("header", "the file is too short to be safetensors");
  std::memcpy(&length, all.data(), sizeof length);
  if (length > max_header_bytes || length > all.size() - sizeof length) {
    fail("header",
         fmt::format("its length {} does not fit the file of {} bytes", length, all.size()));
  }
  data_start_ = sizeof length + length;
  const std::size_t data_bytes = all.size() - data_start_;
  const auto* text = reinterpret_cast<const char*>(all.data()) + sizeof length;
  const auto header = parse_json({text, static_cast<std::size_t>(length)});
  if (!header.is_object()) fail("header", "it is not a JSON object");
  for (const auto& [name, entry] : header.items()) {
    try {
      if (name == "__metadata__") {
        metadata_ = entry.get<Metadata>();
        continue;
      }
      TensorInfo info{.name = name,
                      .dtype = entry.at("dtype").get<std::string>(),
                      .shape = whole_numbers<std::int64_t>(entry.at("shape"))};
      const auto offsets = whole_numbers<std::size_t>(entry.at("data_offsets"));
      if (offsets.size() != 2) fail(name, "its header entry is malformed");
      info.begin = offsets[0];
      info.end = offsets[1];
      if (info.begin > info.end || info.end > data_bytes) {
        fail(name, fmt::format("bytes {} to {} lie outside the file's {} data bytes", info.begin,
                               info.end, data_bytes));
      }
      if (tensor_bytes(info.dtype, info.shape) != info.end - info.begin) {
        fail(name, "its shape and its byte range disagree");
      }
      tensors_.push_back(std::move(info));
    } catch (const nlohmann::json::exception&) {
      fail(name, "its header entry is malformed");
    } catch (const InputError&) {
      throw;
    } catch (const Error& error) {
      fail(name, error.what());
    }
  }
  // By both, as the reference implementation: a tensor of no elements comes before the one that
  // begins where it does.
  std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  // The format leaves no byte to nobody: others refuse such a file as well.
  std::size_t end = 0;
  for (const TensorInfo& tensor : tensors_) {
    if (tensor.begin < end) fail(tensor.name, "it overlaps another tensor");
    if (tensor.begin > end) fail(tensor.name, "there are bytes of no tensor before it");
    end = tensor.end;
  }
  if (end != data_bytes) {
    fail("file", fmt::format("it has {} bytes after its last tensor", data_bytes - end));
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
}

const TensorInfo& File::info(const std::string& tensor) const {
  const auto place = places_.find(tensor);
  if (place == places_.end()) throw InputError(path_, tensor, "there is no such tensor");
  return tensors_[place->second];
}

std::span<const std::byte> File::bytes(const std::string& tensor) const {
  const TensorInfo& place = info(tensor);
  return mapped_.bytes().subspan(data_start_ + place.begin, place.end - place.begin);
}

}  // namespace mpbench::safetensors
