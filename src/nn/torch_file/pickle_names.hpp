#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "unpickler.hpp"

namespace mpbench::nn {

/// What a module's name stands for in a pickle of plain data and tensors; nothing where it is not
/// on the list, so that it and all made by it are opaque. Throws Error for the names by which a
/// pickle starts programs, reads files or loads code ("posix.system"): no file of weights has them,
/// and torch.load(weights_only=False) would run them.
std::optional<PickledValue> find_pickle_name(std::string_view module, std::string_view name);

/// Whether an opaque value is a tensor of a kind that cannot be read: sparse, quantised, complex.
bool stands_for_tensor(const PickledOpaque& value);

/// Why an opaque value is no tensor: "the file holds a sparse tensor (...)".
std::string describe_opaque(const PickledOpaque& value);

/// Why the name of a function that runs programs is refused.
std::string refuse_name(std::string_view module, std::string_view name);

}  // namespace mpbench::nn
