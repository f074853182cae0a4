#include "mpbench/nn/pth_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "byte_tensor.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/file_bytes.hpp"
#include "mpbench/core/foreign_file.hpp"
#include "network_entry.hpp"
#include "pickle_names.hpp"
#include "unpickler.hpp"
#include "zip_records.hpp"

namespace mpbench::nn {
namespace {

constexpr std::string_view zip_start = "PK\x03\x04";
// A pickle; and one of protocol 2 whose first value is torch.save's magic number.
constexpr std::string_view pickle_start = "\x80";
constexpr std::string_view old_start = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
// An expanded tensor has more elements than its storage. No layer of a network has as many.
constexpr std::int64_t most_expanded = std::int64_t{1} << 24;
constexpr std::size_t longest_key = 100;  // of a storage: they are numbers

/// The network's name, where a training script wrote it: timm's and PyTorch's ImageNet example.
std::string find_architecture(const PickledValue& root) {
  const auto* const* dict = std::get_if<PickledDict*>(&root);
  if (dict == nullptr) return {};
  for (const auto& [key, value] : (*dict)->entries) {
    const auto* name = std::get_if<std::string_view>(&key);
    const auto* text = std::get_if<std::string_view>(&value);
    if (name != nullptr && text != nullptr && *name == "arch") return std::string(*text);
  }
  return {};
}

/// The file's bytes, if they can be an archive.
std::span<const std::byte> require_zip(const FileBytes& file, const std::filesystem::path& path) {
  const auto bytes = file.bytes();
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), old_start.size()));
  if (const auto foreign = describe_foreign_file(bytes)) throw InputError(path, "file", *foreign);
  if (start == old_start) {
    throw InputError(path, "file",
                     "it is in torch.save's old format, not a zip archive; in Python, "
                     "torch.save(torch.load(path), path) writes it anew");
  }
  if (start.starts_with(pickle_start)) {
    throw InputError(path, "file",
                     "it is a pickle, but not in torch.save's format; in Python, load it as it was "
                     "saved and write the weights with torch.save(state_dict, path)");
  }
  if (!start.starts_with(zip_start)) {
    throw InputError(path, "file", "it is neither a zip archive of torch.save nor safetensors");
  }
  return bytes;
}

/// The archive of one file, and the tensors in it.
class PthArchive {
 public:
  explicit PthArchive(const std::filesystem::path& path)
      : path_(path),
        file_(std::make_shared<FileBytes>(path)),
        records_(require_zip(*file_, path), path),
        folder_(find_folder()) {}

  StateDict read() {
    const std::string record = folder_ + "data.pkl";
    const Pickle pickle(records_.bytes(record), path_, "data.pkl");
    const NetworkEntry entry = find_network_entry(pickle.root(), path_);
    StateDict state;
    state.wrapper = entry.wrapper;
    state.wrapper_note = entry.note;
    state.architecture = find_architecture(pickle.root());
    for (const auto& [key, value] : entry.dict->entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      if (const auto* tensor = std::get_if<const PickledTensor*>(&value)) {
        if (name == nullptr) fail("data.pkl", "a key of the state_dict is no text");
        if (!state.tensors.emplace(*name, make_tensor(**tensor, *name)).second) {
          fail(*name, "the state_dict has it twice");
        }
      } else if (name != nullptr) {
        leave_aside(*name, value, state);
      }
    }
    return state;
  }

 private:
  [[noreturn]] void fail(std::string_view field, const std::string& problem) const {
    throw InputError(path_, std::string(field), problem);
  }

  /// All records are in one folder: "resnet18/".
  std::string find_folder() const {
    std::string folder;
    for (const auto& [name, record] : records_.all()) {
      const std::size_t slash = name.find('/');
      if (name.substr(std::min(slash, name.size())) != "/data.pkl") continue;
      if (!folder.empty()) fail("data.pkl", "two records have this name");
      folder = name.substr(0, slash + 1);
    }
    if (folder.empty())
      fail("data.pkl",
           "the archive has no such record: it is a zip archive, but not torch.save's; where it is "
           "one that holds a file of weights, unpack it first");
    if (records_.contains(folder + "constants.pkl")) {
      fail("constants.pkl",
           "it is a TorchScript archive, a program; save the weights alone: "
           "torch.save(module.state_dict(), path)");
    }
    const std::string byteorder = folder + "byteorder";
    if (records_.contains(byteorder)) {
      const auto bytes = records_.bytes(byteorder);
      const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (order != "little") {
        fail("byteorder",
             fmt::format("it is '{}'; only little-endian files can be read", order.substr(0, 20)));
      }
    }
    return folder;
  }

  /// What lies between the tensors of a state_dict and is none: an epoch, a module's extra state.
  void leave_aside(std::string_view name, const PickledValue& value, StateDict& state) const {
    const auto* const* opaque = std::get_if<const PickledOpaque*>(&value);
    if (opaque != nullptr && stands_for_tensor(**opaque)) fail(name, describe_opaque(**opaque));
    state.left_aside.emplace_back(name);
  }

  at::Tensor make_tensor(const PickledTensor& tensor, std::string_view name) {
    const PickledStorage& storage = *tensor.storage;
    const at::Tensor elements = read_storage(storage, name);
    if (elements.scalar_type() != storage.dtype || elements.numel() != storage.elements) {
      fail(name, fmt::format("storage {} is used with two types", storage.key));
    }
    check_range(tensor, name);
    return elements.as_strided(tensor.sizes, tensor.strides, tensor.offset);
  }

  /// The elements of a storage, which tensors may share.
  at::Tensor read_storage(const PickledStorage& storage, std::string_view name) {
    if (storage.key.size() > longest_key) fail(name, "its storage's key is too long");
    const auto known = storages_.find(storage.key);
    if (known != storages_.end()) return known->second;
    const std::string record = fmt::format("{}data/{}", folder_, storage.key);
    const auto element = static_cast<std::int64_t>(c10::elementSize(storage.dtype));
    const std::size_t size = records_.size(record);
    std::int64_t expected = 0;
    if (storage.elements < 0 || __builtin_mul_overflow(storage.elements, element, &expected) ||
        static_cast<std::uint64_t>(expected) != size) {
      fail(name, fmt::format("its storage states {} elements of {} bytes, and record data/{} has "
                             "{} bytes",
                             storage.elements, element, storage.key, size));
    }
    return storages_.emplace(storage.key, byte_tensor(records_.bytes(record), storage.dtype, file_))
        .first->second;
  }

  /// That every element is one of the storage's.
  void check_range(const PickledTensor& tensor, std::string_view name) const {
    const PickledStorage* storage = tensor.storage;
    const std::int64_t offset = tensor.offset;
    const auto& sizes = tensor.sizes;
    const auto& strides = tensor.strides;
    const auto outside = [&] {
      fail(name, fmt::format("sizes [{}], strides [{}] and offset {} do not fit its storage of {} "
                             "elements",
                             fmt::join(sizes, ", "), fmt::join(strides, ", "), offset,
                             storage->elements));
    };
    if (sizes.size() != strides.size() || offset < 0 || offset > storage->elements) outside();
    std::int64_t count = 1;
    std::int64_t last = offset;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::int64_t reach = 0;
      if (sizes[i] < 0 || strides[i] < 0 || __builtin_mul_overflow(count, sizes[i], &count) ||
          __builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) ||
          __builtin_add_overflow(last, reach, &last)) {
        outside();
      }
    }
    if (count > 0 && last >= storage->elements) outside();
    // One element many times: a small file could ask for any amount of memory.
    if (count > std::max(storage->elements, most_expanded)) {
      fail(name, fmt::format("its {} elements share {} in the file: more than {} cannot be read so",
                             count, storage->elements, most_expanded));
    }
  }

  std::filesystem::path path_;
  std::shared_ptr<const FileBytes> file_;
  ZipRecords records_;
  std::string folder_;
  std::map<std::string_view, at::Tensor> storages_;
};

}  // namespace

StateDict read_pth_file(const std::filesystem::path& path) { return PthArchive(path).read(); }

bool begins_like_zip(const std::filesystem::path& path) {
  std::string start(zip_start.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return file && start == zip_start;
}

}  // namespace mpbench::nn
