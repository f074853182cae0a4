#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mpbench::profile {

using Shape = std::vector<std::int64_t>;

/// How a convolution was called.
struct ConvolutionSettings {
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  bool transposed = false;
  std::int64_t groups = 1;
  bool data_gradient = true;    ///< of convolution_backward: which were asked for
  bool weight_gradient = true;  ///< likewise

  bool operator==(const ConvolutionSettings&) const = default;
};

/// What the profiler saw of one call of an operator, of a node of the backward pass or of a range.
struct ProfiledEvent {
  std::string name;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t thread = 0;
  std::vector<Shape> shapes;        ///< one an argument; empty for what is not a tensor
  std::vector<std::string> dtypes;  ///< likewise: "float", "c10::BFloat16"; empty likewise
  std::optional<ConvolutionSettings> convolution;
  // Of the kernels that the call itself started on a GPU.
  std::int64_t device_ns = 0;
  std::int64_t data_gradient_ns = 0;    ///< part of them that is named for it
  std::int64_t weight_gradient_ns = 0;  ///< likewise
};

/// "float32" of "float"; a name that is not known stays as it is.
std::string dtype_name(const std::string& type_name);
/// Of an element; 0 for a type that is not known.
int bytes_of_dtype(const std::string& type_name);

}  // namespace mpbench::profile
