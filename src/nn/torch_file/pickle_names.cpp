#include "pickle_names.hpp"

#include <fmt/format.h>

#include <algorithm>
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
    AllowedName{"collections", "defaultdict", Callable::default_dict},
    AllowedName{"builtins", "getattr", Callable::getattr},
    AllowedName{"__builtin__", "getattr", Callable::getattr},
    AllowedName{"torch", "Size", Callable::size},
    AllowedName{"torch._utils", "_rebuild_tensor_v2", Callable::rebuild_tensor},
    AllowedName{"torch._utils", "_rebuild_parameter", Callable::rebuild_parameter},
    AllowedName{"torch._utils", "_rebuild_parameter_with_state",
                Callable::rebuild_parameter_with_state},
    AllowedName{"torch._tensor", "_rebuild_from_type_v2", Callable::rebuild_from_type},
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

// Modules and functions by which a pickle would start a program or load code, and not make data.
// Nothing is run here, whatever a file names: they are refused so that whoever has it knows.
constexpr std::array program_modules{
    std::string_view("posix"),      std::string_view("nt"),         std::string_view("os"),
    std::string_view("subprocess"), std::string_view("sys"),        std::string_view("shutil"),
    std::string_view("pty"),        std::string_view("runpy"),      std::string_view("importlib"),
    std::string_view("imp"),        std::string_view("pkgutil"),    std::string_view("socket"),
    std::string_view("requests"),   std::string_view("webbrowser"), std::string_view("ctypes"),
    std::string_view("marshal"),    std::string_view("pickle"),     std::string_view("_pickle"),
    std::string_view("pdb"),        std::string_view("bdb"),        std::string_view("timeit"),
    std::string_view("asyncio"),    std::string_view("pip")};
constexpr std::array program_builtins{
    std::string_view("eval"),    std::string_view("exec"),       std::string_view("execfile"),
    std::string_view("compile"), std::string_view("__import__"), std::string_view("open"),
    std::string_view("file"),    std::string_view("setattr"),    std::string_view("delattr"),
    std::string_view("globals"), std::string_view("locals"),     std::string_view("vars"),
    std::string_view("input"),   std::string_view("raw_input"),  std::string_view("breakpoint"),
    std::string_view("apply"),   std::string_view("reload"),     std::string_view("exit")};
constexpr std::array program_names{std::string_view("torch.load"),
                                   std::string_view("torch.serialization.load"),
                                   std::string_view("torch.hub.load"),
                                   std::string_view("torch.storage._load_from_bytes"),
                                   std::string_view("torch.jit.load"),
                                   std::string_view("torch.utils.cpp_extension.load"),
                                   std::string_view("urllib.request.urlopen"),
                                   std::string_view("urllib.request.urlretrieve")};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view first_part(std::string_view dotted) { return dotted.substr(0, dotted.find('.')); }

bool runs_programs(std::string_view module, std::string_view name) {
  if (module == "builtins" || module == "__builtin__") {
    return contains(program_builtins, first_part(name));
  }
  return contains(program_modules, first_part(module)) ||
         contains(program_names, fmt::format("{}.{}", module, name));
}

std::string full_name(std::string_view module, std::string_view name) {
  constexpr std::size_t longest = 200;
  return fmt::format("{}.{}", module.substr(0, longest), name.substr(0, longest));
}

}  // namespace

std::string refuse_name(std::string_view module, std::string_view name) {
  return full_name(module, name) +
         " is not allowed, since unpickling runs what a file names; of a file you trust, save the "
         "weights alone: torch.save(model.state_dict(), path)";
}

std::optional<PickledValue> find_pickle_name(std::string_view module, std::string_view name) {
  for (const AllowedName& allowed : allowed_names) {
    if (allowed.module == module && allowed.name == name) return allowed.value;
  }
  if (runs_programs(module, name)) throw Error(refuse_name(module, name));
  return {};
}

bool stands_for_tensor(const PickledOpaque& value) {
  const auto has = [&](std::string_view part) { return value.name.find(part) != value.name.npos; };
  return first_part(value.module) == "torch" &&
         (has("Storage") || has("_rebuild_") || has("Tensor") || has("Parameter"));
}

std::string describe_opaque(const PickledOpaque& value) {
  if (value.name.empty()) return "it is not a tensor";
  const auto has = [&](std::string_view part) { return value.name.find(part) != value.name.npos; };
  const std::string full = full_name(value.module, value.name);
  if (!stands_for_tensor(value)) return fmt::format("it is an object of {}, not a tensor", full);
  if (has("sparse")) return fmt::format("it is a sparse tensor ({}): save its to_dense()", full);
  if (has("qtensor") || has("QInt") || has("QUInt")) {
    return fmt::format("it is a quantised tensor ({}): save the weights before quantisation", full);
  }
  return fmt::format("it is a tensor of a kind that cannot be read ({})", full);
}

}  // namespace mpbench::nn
