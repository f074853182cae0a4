#include "byte_tensor.hpp"

#include <torch/types.h>

#include <cstdint>
#include <cstring>

namespace mpbench::nn {

at::Tensor byte_tensor(std::span<const std::byte> bytes, at::ScalarType dtype,
                       std::shared_ptr<const void> owner) {
  const std::size_t element = c10::elementSize(dtype);
  const auto count = static_cast<std::int64_t>(bytes.size() / element);
  if (dtype == at::kBool) return byte_tensor(bytes, at::kByte, std::move(owner)).ne(0);
  if (bytes.empty() || reinterpret_cast<std::uintptr_t>(bytes.data()) % element != 0) {
    at::Tensor copy = at::empty({count}, dtype);
    if (!bytes.empty()) std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
    return copy;
  }
  // from_blob wants memory that may be written; the tensors are only ever read.
  return at::from_blob(
      const_cast<std::byte*>(bytes.data()), {count}, [owner = std::move(owner)](void*) {}, dtype);
}

}  // namespace mpbench::nn
