#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The pickles that torch.save writes of plain data and tensors, without running anything: a
/// pickle is a program, and what it may name is the list in unpickler.cpp.
/// https://github.com/python/cpython/blob/3.11/Lib/pickletools.py describes the operations.
namespace mpbench::nn {

/// What a pickle may call.
enum class Callable {
  ordered_dict,                 ///< collections.OrderedDict
  size,                         ///< torch.Size
  rebuild_tensor,               ///< torch._utils._rebuild_tensor_v2
  rebuild_parameter,            ///< torch._utils._rebuild_parameter
  rebuild_parameter_with_state  ///< torch._utils._rebuild_parameter_with_state
};

struct PickledSequence;
struct PickledDict;
struct PickledStorage;
struct PickledTensor;

/// None, a scalar, a text, a name that the pickle may use, or an object in the pickle's store.
using PickledValue = std::variant<std::monostate, bool, std::int64_t, double, std::string_view,
                                  Callable, c10::ScalarType, PickledSequence*, PickledDict*,
                                  const PickledStorage*, const PickledTensor*>;

struct PickledSequence {
  bool is_tuple = false;
  std::vector<PickledValue> items;
};

struct PickledDict {
  bool is_ordered = false;
  /// In the order of writing; a key may come twice.
  std::vector<std::pair<PickledValue, PickledValue>> entries;
};

/// A storage's elements are in the record data/<key>.
struct PickledStorage {
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::string_view key;
  std::int64_t elements = 0;
};

/// A view of a storage. The numbers are the file's: none is checked beyond being a number.
struct PickledTensor {
  const PickledStorage* storage = nullptr;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
};

/// A pickle's objects, which may refer to one another in circles. They live as long as it, and its
/// texts as long as the bytes it was read from.
class Pickle {
 public:
  /// Runs the pickle. Throws InputError for the record `field` of the file `path` when it names
  /// anything but the above, is malformed, or is larger than any network's. Whatever its bytes, it
  /// takes memory in proportion to them and does not recurse.
  Pickle(std::span<const std::byte> bytes, const std::filesystem::path& path,
         std::string_view field);

  const PickledValue& root() const { return root_; }

 private:
  friend class Unpickler;
  std::deque<PickledSequence> sequences_;
  std::deque<PickledDict> dicts_;
  std::deque<PickledStorage> storages_;
  std::deque<PickledTensor> tensors_;
  PickledValue root_;
};

}  // namespace mpbench::nn
