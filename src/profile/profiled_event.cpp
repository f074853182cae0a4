#include "profiled_event.hpp"

#include <array>
#include <string_view>

namespace mpbench::profile {
namespace {

struct Dtype {
  std::string_view type_name;  ///< as C++ has it
  std::string_view name;       ///< as torch.dtype has it
  int bytes;
};

constexpr auto dtypes = std::to_array<Dtype>({{"float", "float32", 4},
                                              {"double", "float64", 8},
                                              {"c10::BFloat16", "bfloat16", 2},
                                              {"c10::Half", "float16", 2},
                                              {"long int", "int64", 8},
                                              {"long", "int64", 8},
                                              {"int", "int32", 4},
                                              {"short int", "int16", 2},
                                              {"unsigned char", "uint8", 1},
                                              {"signed char", "int8", 1},
                                              {"bool", "bool", 1}});

const Dtype* find(std::string_view type_name) {
  for (const Dtype& dtype : dtypes) {
    if (dtype.type_name == type_name) return &dtype;
  }
  return nullptr;
}

}  // namespace

std::string dtype_name(const std::string& type_name) {
  const Dtype* const dtype = find(type_name);
  return dtype == nullptr ? type_name : std::string(dtype->name);
}

int bytes_of_dtype(const std::string& type_name) {
  const Dtype* const dtype = find(type_name);
  return dtype == nullptr ? 0 : dtype->bytes;
}

}  // namespace mpbench::profile
