#pragma once

#include <string_view>

#include "unpickler.hpp"

namespace mpbench::nn {

/// What a module's name stands for in a pickle of plain data and tensors. Throws Error saying why
/// any other name is refused.
PickledValue find_pickle_name(std::string_view module, std::string_view name);

}  // namespace mpbench::nn
