#include "mpbench/nn/pth_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "byte_tensor.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/file_bytes.hpp"
#include "unpickler.hpp"
#include "zip_records.hpp"

namespace mpbench::nn {
namespace {

constexpr std::string_view zip_start = "PK\x03\x04";
// A pickle of protocol 2 whose first value is torch.save's magic number.
constexpr std::string_view old_start = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
// Entries of a training checkpoint that hold the network, the averaged weights first: they are
// those that were judged. timm, torchvision's references, Lightning, and what people write.
constexpr std::array<std::string_view, 5> wrappers{"state_dict_ema", "model_ema", "state_dict",
                                                   "model_state_dict", "model"};
constexpr int deepest_wrapper = 3;
constexpr std::size_t longest_key = 100;  // of a storage: they are numbers

const PickledValue* find(const PickledDict& dict, std::string_view key) {
  for (const auto& [name, value] : dict.entries) {
    const auto* text = std::get_if<std::string_view>(&name);
    if (text != nullptr && *text == key) return &value;
  }
  return nullptr;
}

bool holds_tensors(const PickledDict& dict) {
  return std::any_of(dict.entries.begin(), dict.entries.end(), [](const auto& entry) {
    return std::holds_alternative<const PickledTensor*>(entry.second);
  });
}

/// The file's bytes, if they can be an archive.
std::span<const std::byte> require_zip(const FileBytes& file, const std::filesystem::path& path) {
  const auto bytes = file.bytes();
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), old_start.size()));
  if (start.empty()) throw InputError(path, "file", "it is empty");
  if (start == old_start) {
    throw InputError(path, "file",
                     "it is in torch.save's old format, not a zip archive; in Python, "
                     "torch.save(torch.load(path), path) writes it anew");
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
    const auto* const* root = std::get_if<PickledDict*>(&pickle.root());
    if (root == nullptr) fail("data.pkl", "it holds no dict of tensors");
    StateDict state;
    const PickledDict& dict = unwrap(**root, state);
    for (const auto& [key, value] : dict.entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      if (name == nullptr) fail("data.pkl", "a key of the state_dict is no text");
      const auto* tensor = std::get_if<const PickledTensor*>(&value);
      if (tensor == nullptr) fail(*name, "it is no tensor");
      if (!state.tensors.emplace(*name, make_tensor(**tensor, *name)).second) {
        fail(*name, "the state_dict has it twice");
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
    if (folder.empty()) fail("data.pkl", "the archive has no such record: torch.save wrote it not");
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

  /// The state_dict, from within a training checkpoint where there is one around it.
  const PickledDict& unwrap(const PickledDict& root, StateDict& state) const {
    const PickledDict* dict = &root;
    for (int depth = 0; depth < deepest_wrapper && !holds_tensors(*dict); ++depth) {
      if (const auto* arch = find(*dict, "arch")) {
        if (const auto* name = std::get_if<std::string_view>(arch)) state.architecture = *name;
      }
      const PickledDict* inner = nullptr;
      for (const std::string_view wrapper : wrappers) {
        const auto* value = find(*dict, wrapper);
        if (value == nullptr || !std::holds_alternative<PickledDict*>(*value)) continue;
        inner = std::get<PickledDict*>(*value);
        if (!state.wrapper.empty()) state.wrapper += '.';
        state.wrapper += wrapper;
        break;
      }
      if (inner == nullptr) break;
      dict = inner;
    }
    if (!holds_tensors(*dict)) fail("data.pkl", describe_keys(*dict));
    return *dict;
  }

  static std::string describe_keys(const PickledDict& dict) {
    constexpr std::size_t most = 5;
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : dict.entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      if (name != nullptr && keys.size() < most) keys.push_back(name->substr(0, 50));
    }
    return fmt::format(
        "it holds no tensors, and none of {} that does; it has {}; save the weights alone: "
        "torch.save(model.state_dict(), path)",
        fmt::join(wrappers, ", "),
        keys.empty() ? "nothing" : fmt::format("{}", fmt::join(keys, ", ")));
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
    // More elements than the storage has would be one element many times: a network has no such
    // tensor, and a small file could ask for any amount of memory.
    if (count > storage->elements || (count > 0 && last >= storage->elements)) outside();
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
