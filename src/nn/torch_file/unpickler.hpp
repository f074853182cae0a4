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

/// The pickles that torch.save writes, without running anything: a pickle is a program, and what
/// it may make is plain data and tensors (the list in pickle_names.cpp). Objects of every other
/// class (argparse.Namespace, numpy.ndarray, the user's own) are read over and stay opaque: they
/// are none of these, and nothing is made of them.
/// https://github.com/python/cpython/blob/3.11/Lib/pickletools.py describes the operations.
namespace mpbench::nn {

/// What a pickle may call.
enum class Callable {
  ordered_dict,                  ///< collections.OrderedDict
  default_dict,                  ///< collections.defaultdict
  getattr,                       ///< getattr, of an opaque object: how Python 3.11 pickles an enum
  size,                          ///< torch.Size
  rebuild_tensor,                ///< torch._utils._rebuild_tensor_v2
  rebuild_parameter,             ///< torch._utils._rebuild_parameter
  rebuild_parameter_with_state,  ///< torch._utils._rebuild_parameter_with_state
  rebuild_from_type              ///< torch._tensor._rebuild_from_type_v2, of a torch.Tensor
};

struct PickledSequence;
struct PickledDict;
struct PickledStorage;
struct PickledTensor;
struct PickledOpaque;

/// None, a scalar, a text, a name that the pickle may use, or an object in the pickle's store.
using PickledValue =
    std::variant<std::monostate, bool, std::int64_t, double, std::string_view, Callable,
                 c10::ScalarType, PickledSequence*, PickledDict*, const PickledStorage*,
                 const PickledTensor*, const PickledOpaque*>;

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

/// A name that is not on the list, or what was made by it: its class or function, "argparse" and
/// "Namespace". Where both are empty it is data without a class: bytes, a set, a large integer.
struct PickledOpaque {
  std::string_view module;
  std::string_view name;
};

/// Where the objects live; they do not move.
struct PickleStore {
  std::deque<PickledSequence> sequences;
  std::deque<PickledDict> dicts;
  std::deque<PickledStorage> storages;
  std::deque<PickledTensor> tensors;
  std::deque<PickledOpaque> opaque;
};

/// A longer pickle is refused: the largest of torchvision's networks, with an optimizer's state,
/// takes about 100 KB.
constexpr std::size_t most_pickle_bytes = std::size_t{64} << 20;

/// A pickle's objects, which may refer to one another in circles. They live as long as it, and its
/// texts as long as the bytes it was read from.
class Pickle {
 public:
  /// Runs the pickle. Throws InputError for the record `field` of the file `path` when it names
  /// what runs programs (pickle_names.hpp), is malformed, or is larger than any network's. Whatever
  /// its bytes, it takes memory in proportion to them and does not recurse.
  Pickle(std::span<const std::byte> bytes, const std::filesystem::path& path,
         std::string_view field);

  const PickledValue& root() const { return root_; }
  /// All that it names, whether they are the root's or not.
  const std::deque<PickledStorage>& storages() const { return store_.storages; }
  /// How many of the bytes it is.
  std::size_t size() const { return size_; }

 private:
  PickleStore store_;
  PickledValue root_;
  std::size_t size_ = 0;
};

}  // namespace mpbench::nn
