#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "mpbench/nn/state_dict.hpp"
#include "unpickler.hpp"

namespace mpbench::nn {

/// Where a pickle's tensors have their elements.
struct PthStorages {
  std::filesystem::path path;         ///< named in errors
  std::shared_ptr<const void> owner;  ///< of the bytes
  /// A storage's bytes by its key; throws InputError where there are none.
  std::function<std::span<const std::byte>(std::string_view key)> bytes;
};

/// The network in a file of torch.save: its tensors are views of their storages. Throws InputError
/// naming the tensor that does not fit its storage, and as find_network_entry.
StateDict make_state_dict(const PickledValue& root, const PthStorages& storages);

}  // namespace mpbench::nn
