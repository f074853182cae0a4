#include "pth_tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "../models/network_entry.hpp"
#include "../weights/byte_tensor.hpp"
#include "mpbench/core/error.hpp"
#include "pickle_names.hpp"

namespace mpbench::nn {
namespace {

// An expanded tensor has more elements than its storage. No layer of a network has as many.
constexpr std::int64_t most_expanded = std::int64_t{1} << 24;
constexpr std::size_t longest_key = 100;  // of a storage: they are numbers

constexpr std::array<std::string_view, 7> architecture_keys{
    "arch", "architecture", "model_name", "model_arch", "backbone", "encoder_name", "model"};
constexpr std::array<std::string_view, 6> settings_keys{
    "hyper_parameters", "hparams", "config", "cfg", "args", "settings"};

template <typename Kind, typename Keys>
const Kind* find_under(const PickledDict& dict, const Keys& keys) {
  for (const std::string_view wanted : keys) {
    for (const auto& [key, value] : dict.entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      const auto* found = std::get_if<Kind>(&value);
      if (name != nullptr && *name == wanted && found != nullptr) return found;
    }
  }
  return nullptr;
}

/// The network's name, where a training script wrote it: PyTorch's ImageNet example and timm as
/// "arch", Lightning among the hyper-parameters.
std::string find_architecture(const PickledValue& root) {
  const auto* const* dict = std::get_if<PickledDict*>(&root);
  if (dict == nullptr) return {};
  const auto* name = find_under<std::string_view>(**dict, architecture_keys);
  if (name == nullptr) {
    const auto* const* settings = find_under<PickledDict*>(**dict, settings_keys);
    if (settings != nullptr) name = find_under<std::string_view>(**settings, architecture_keys);
  }
  return name == nullptr ? std::string() : std::string(*name);
}

/// The tensors of one file.
class TensorMaker {
 public:
  explicit TensorMaker(const PthStorages& source) : source_(source) {}

  StateDict make(const PickledValue& root) {
    const NetworkEntry entry = find_network_entry(root, source_.path);
    StateDict state;
    state.wrapper = entry.wrapper;
    state.wrapper_note = entry.note;
    state.architecture = find_architecture(root);
    for (const auto& [key, value] : entry.dict->entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      if (const auto* tensor = std::get_if<const PickledTensor*>(&value)) {
        if (name == nullptr) fail("data.pkl", "a key of the state_dict is not a string");
        if (!state.tensors.emplace(*name, make_tensor(**tensor, *name)).second) {
          fail(*name, "the state_dict has it twice");
        }
      } else if (name != nullptr) {
        skip(*name, value, state);
      }
    }
    return state;
  }

 private:
  [[noreturn]] void fail(std::string_view field, const std::string& problem) const {
    throw InputError(source_.path, std::string(field), problem);
  }

  /// What lies between the tensors of a state_dict and is none: an epoch, a module's extra state.
  void skip(std::string_view name, const PickledValue& value, StateDict& state) const {
    const auto* const* opaque = std::get_if<const PickledOpaque*>(&value);
    if (opaque != nullptr && stands_for_tensor(**opaque)) fail(name, describe_opaque(**opaque));
    state.skipped.emplace_back(name);
  }

  torch::Tensor make_tensor(const PickledTensor& tensor, std::string_view name) {
    const PickledStorage& storage = *tensor.storage;
    const torch::Tensor elements = read_storage(storage, name);
    if (elements.scalar_type() != storage.dtype || elements.numel() != storage.elements) {
      fail(name, fmt::format("storage {} is used with two types", storage.key));
    }
    check_range(tensor, name);
    return elements.as_strided(tensor.sizes, tensor.strides, tensor.offset);
  }

  /// The elements of a storage, which tensors may share.
  torch::Tensor read_storage(const PickledStorage& storage, std::string_view name) {
    if (storage.key.size() > longest_key) fail(name, "its storage's key is too long");
    const auto known = storages_.find(storage.key);
    if (known != storages_.end()) return known->second;
    const auto element = static_cast<std::int64_t>(torch::elementSize(storage.dtype));
    const std::span<const std::byte> bytes = source_.bytes(storage.key);
    std::int64_t expected = 0;
    if (storage.elements < 0 || __builtin_mul_overflow(storage.elements, element, &expected) ||
        static_cast<std::uint64_t>(expected) != bytes.size()) {
      fail(name, fmt::format("its storage states {} elements of {} bytes, and storage {} has {} "
                             "bytes",
                             storage.elements, element, storage.key, bytes.size()));
    }
    return storages_.emplace(storage.key, byte_tensor(bytes, storage.dtype, source_.owner))
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
      fail(name, fmt::format("its {} elements share {} in the file: at most {} may", count,
                             storage->elements, most_expanded));
    }
  }

  const PthStorages& source_;
  std::map<std::string_view, torch::Tensor> storages_;
};

}  // namespace

StateDict make_state_dict(const PickledValue& root, const PthStorages& storages) {
  return TensorMaker(storages).make(root);
}

}  // namespace mpbench::nn
