#include "byte_tensor.hpp"

#include <torch/types.h>

#include <cstdint>
#include <cstring>

namespace mpbench::nn {

torch::Tensor byte_tensor(std::span<const std::byte> bytes, torch::ScalarType dtype,
                          std::shared_ptr<const void> owner) {
  const std::size_t element = torch::elementSize(dtype);
  const auto count = static_cast<std::int64_t>(bytes.size() / element);
  if (dtype == torch::kBool) return byte_tensor(bytes, torch::kByte, std::move(owner)).ne(0);
  if (bytes.empty() || reinterpret_cast<std::uintptr_t>(bytes.data()) % element != 0) {
    torch::Tensor copy = torch::empty({count}, dtype);
    if (!bytes.empty()) std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
    return copy;
  }
  // from_blob wants memory that may be written; the tensors are only ever read.
  return torch::from_blob(
      const_cast<std::byte*>(bytes.data()), {count}, [owner = std::move(owner)](void*) {}, dtype);
}

}  // namespace mpbench::nn
