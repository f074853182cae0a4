#include "mpbench/nn/safetensors_dtype.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

struct Name {
  std::string_view text;
  c10::ScalarType dtype;
};
constexpr std::array dtype_names{Name{"F32", c10::kFloat}, Name{"F64", c10::kDouble},
                                 Name{"F16", c10::kHalf},  Name{"BF16", c10::kBFloat16},
                                 Name{"I64", c10::kLong},  Name{"I32", c10::kInt},
                                 Name{"I16", c10::kShort}, Name{"I8", c10::kChar},
                                 Name{"U8", c10::kByte},   Name{"BOOL", c10::kBool}};

}  // namespace

std::string safetensors_dtype(c10::ScalarType dtype) {
  for (const Name& name : dtype_names) {
    if (name.dtype == dtype) return std::string(name.text);
  }
  throw Error(fmt::format("safetensors has no name for {}", c10::toString(dtype)));
}

c10::ScalarType torch_dtype(const std::string& text) {
  for (const Name& name : dtype_names) {
    if (name.text == text) return name.dtype;
  }
  throw Error(fmt::format("tensors of {} cannot be used here", text));
}

}  // namespace mpbench::nn
