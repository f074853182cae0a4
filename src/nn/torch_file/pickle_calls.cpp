#include "pickle_calls.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "../weights/tensor_limits.hpp"
#include "pickle_names.hpp"

namespace mpbench::nn {
namespace {

using Arguments = std::vector<PickledValue>;

bool is_opaque_value(const PickledValue& value) {
  return std::holds_alternative<const PickledOpaque*>(value);
}

void require_count(const Arguments& arguments, std::size_t least, std::size_t most,
                   std::string_view name) {
  if (arguments.size() < least || arguments.size() > most) {
    throw Error(fmt::format("it calls {} with {} arguments", name, arguments.size()));
  }
}

std::vector<std::int64_t> integers(const PickledValue& value, std::string_view what) {
  const auto* sequence = expect_pickled<PickledSequence*>(value, what);
  if (sequence->items.size() > most_dimensions) {
    throw Error(fmt::format("a tensor in it has {} dimensions", sequence->items.size()));
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(sequence->items.size());
  for (const PickledValue& item : sequence->items) {
    numbers.push_back(expect_pickled<std::int64_t>(item, "integer"));
  }
  return numbers;
}

PickledValue rebuild_tensor(PickleStore& store, const Arguments& arguments) {
  // (storage, offset, sizes, strides, requires_grad, backward hooks[, metadata])
  require_count(arguments, 6, 7, "_rebuild_tensor_v2");
  if (is_opaque_value(arguments[0])) return arguments[0];
  if (arguments.size() == 7) {
    // That a tensor is to be negated or conjugated when it is read: never so of a network's.
    const bool is_plain = std::holds_alternative<std::monostate>(arguments[6]) ||
                          expect_pickled<PickledDict*>(arguments[6], "dict")->entries.empty();
    if (!is_plain) throw Error("a tensor in it has metadata, which is not allowed");
  }
  return &store.tensors.emplace_back(
      PickledTensor{.storage = expect_pickled<const PickledStorage*>(arguments[0], "storage"),
                    .offset = expect_pickled<std::int64_t>(arguments[1], "offset"),
                    .sizes = integers(arguments[2], "tuple of sizes"),
                    .strides = integers(arguments[3], "tuple of strides")});
}

/// A parameter is its tensor.
PickledValue rebuild_parameter(const Arguments& arguments, std::size_t count,
                               std::string_view name) {
  require_count(arguments, count, count, name);
  if (is_opaque_value(arguments[0])) return arguments[0];
  return expect_pickled<const PickledTensor*>(arguments[0], "tensor");
}

/// A tensor with attributes, which are skipped: (function, class, the function's arguments,
/// attributes). Of a class of its own it may mean other values than it holds.
PickledValue rebuild_from_type(PickleStore& store, const Arguments& arguments) {
  require_count(arguments, 4, 4, "_rebuild_from_type_v2");
  const auto* type = std::get_if<const PickledOpaque*>(&arguments[1]);
  if (type == nullptr) throw Error("expected class, found a value of another kind");
  const bool is_tensor = ((*type)->module == "torch" && (*type)->name == "Tensor") ||
                         ((*type)->module == "torch.nn.parameter" && (*type)->name == "Parameter");
  if (!is_tensor) return *type;
  const auto* function = std::get_if<Callable>(&arguments[0]);
  const bool is_rebuild = function != nullptr && (*function == Callable::rebuild_tensor ||
                                                  *function == Callable::rebuild_parameter);
  if (is_rebuild) return call_pickled(store, *function, arguments[2]);
  return expect_pickled<const PickledOpaque*>(arguments[0], "function");
}

}  // namespace

PickledValue call_pickled(PickleStore& store, const PickledValue& callable,
                          const PickledValue& arguments_tuple) {
  if (is_opaque_value(callable)) return callable;
  const Arguments& arguments = expect_pickled<PickledSequence*>(arguments_tuple, "tuple")->items;
  switch (expect_pickled<Callable>(callable, "function")) {
    case Callable::ordered_dict:
      require_count(arguments, 0, 0, "OrderedDict");
      return &store.dicts.emplace_back(PickledDict{.is_ordered = true, .entries = {}});
    case Callable::default_dict:
      return &store.dicts.emplace_back(PickledDict{.is_ordered = true, .entries = {}});
    case Callable::getattr:
      if (arguments.size() != 2 || !is_opaque_value(arguments[0])) {
        throw Error(refuse_name("builtins", "getattr"));
      }
      return arguments[0];
    case Callable::size:
      require_count(arguments, 1, 1, "torch.Size");
      return expect_pickled<PickledSequence*>(arguments[0], "tuple");
    case Callable::rebuild_tensor:
      return rebuild_tensor(store, arguments);
    case Callable::rebuild_parameter:
      return rebuild_parameter(arguments, 3, "_rebuild_parameter");
    case Callable::rebuild_parameter_with_state:
      return rebuild_parameter(arguments, 4, "_rebuild_parameter_with_state");
    case Callable::rebuild_from_type:
      return rebuild_from_type(store, arguments);
  }
  throw Error("it calls an unknown function");
}

PickledValue make_pickled_storage(PickleStore& store, const PickledValue& id) {
  // ("storage", type, key, location, number of elements), and in the old format what it is a view
  // of, which is None since PyTorch 0.4; of a whole network, ("module", class, file, source).
  const Arguments& parts = expect_pickled<PickledSequence*>(id, "tuple")->items;
  const auto* kind = parts.empty() ? nullptr : std::get_if<std::string_view>(&parts[0]);
  if (kind != nullptr && *kind == "module" && parts.size() == 4 && is_opaque_value(parts[1])) {
    return parts[1];
  }
  const bool is_whole =
      parts.size() == 5 || (parts.size() == 6 && std::holds_alternative<std::monostate>(parts[5]));
  if (kind == nullptr || *kind != "storage" || !is_whole) {
    throw Error("a persistent id in it is not a storage");
  }
  if (is_opaque_value(parts[1])) return parts[1];
  return &store.storages.emplace_back(
      PickledStorage{.dtype = expect_pickled<c10::ScalarType>(parts[1], "storage type"),
                     .key = expect_pickled<std::string_view>(parts[2], "storage key"),
                     .elements = expect_pickled<std::int64_t>(parts[4], "number of elements")});
}

}  // namespace mpbench::nn
