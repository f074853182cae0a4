#include "pickle_names.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

struct AllowedName {
  std::string_view module;
  std::string_view name;
  PickledValue value;
};
constexpr std::array allowed_names{
    AllowedName{"collections", "OrderedDict", Callable::ordered_dict},
    AllowedName{"torch", "Size", Callable::size},
    AllowedName{"torch._utils", "_rebuild_tensor_v2", Callable::rebuild_tensor},
    AllowedName{"torch._utils", "_rebuild_parameter", Callable::rebuild_parameter},
    AllowedName{"torch._utils", "_rebuild_parameter_with_state",
                Callable::rebuild_parameter_with_state},
    AllowedName{"torch", "DoubleStorage", c10::ScalarType::Double},
    AllowedName{"torch", "FloatStorage", c10::ScalarType::Float},
    AllowedName{"torch", "HalfStorage", c10::ScalarType::Half},
    AllowedName{"torch", "BFloat16Storage", c10::ScalarType::BFloat16},
    AllowedName{"torch", "LongStorage", c10::ScalarType::Long},
    AllowedName{"torch", "IntStorage", c10::ScalarType::Int},
    AllowedName{"torch", "ShortStorage", c10::ScalarType::Short},
    AllowedName{"torch", "CharStorage", c10::ScalarType::Char},
    AllowedName{"torch", "ByteStorage", c10::ScalarType::Byte},
    AllowedName{"torch", "BoolStorage", c10::ScalarType::Bool},
    // Of no dtype: torch.load takes it for bytes.
    AllowedName{"torch.storage", "UntypedStorage", c10::ScalarType::Byte}};

std::string refusal(std::string_view module, std::string_view name) {
  const auto rebuilds = [&](std::string_view kind) {
    return module == "torch._utils" && name.starts_with("_rebuild_") &&
           name.find(kind) != std::string_view::npos;
  };
  constexpr std::size_t longest = 200;
  const std::string full = fmt::format("{}.{}", module.substr(0, longest), name.substr(0, longest));
  if (rebuilds("sparse")) return full + " is not allowed: the file holds a sparse tensor";
  if (rebuilds("qtensor") || name.starts_with("QInt") || name.starts_with("QUInt")) {
    return full + " is not allowed: the file holds a quantised tensor";
  }
  return full +
         " is not allowed, since unpickling runs what a file names; of a file you trust, save the "
         "weights alone: torch.save(model.state_dict(), path)";
}

}  // namespace

PickledValue find_pickle_name(std::string_view module, std::string_view name) {
  for (const AllowedName& allowed : allowed_names) {
    if (allowed.module == module && allowed.name == name) return allowed.value;
  }
  throw Error(refusal(module, name));
}

}  // namespace mpbench::nn
