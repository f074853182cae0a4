#include "named_tensors.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"

namespace mpbench::train {

void copy_named_tensors(const std::string& owner, const NamedTensors& loaded,
                        const NamedTensors& own) {
  for (const auto& [name, tensor] : own) {
    const auto found = loaded.find(name);
    if (found == loaded.end()) {
      throw Error(fmt::format("{} state: {} is missing", owner, name));
    }
    if (found->second.sizes() != tensor.sizes()) {
      throw Error(fmt::format("{} state: {} has the wrong shape", owner, name));
    }
    if (found->second.scalar_type() != tensor.scalar_type()) {
      throw Error(fmt::format("{} state: {} is {}, not {}", owner, name,
                              c10::toString(found->second.scalar_type()),
                              c10::toString(tensor.scalar_type())));
    }
  }
  for (const auto& [name, tensor] : loaded) {
    if (!own.contains(name)) {
      throw Error(fmt::format("{} state: {} does not belong to it", owner, name));
    }
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : own) {
    tensor.copy_(loaded.at(name));
  }
}

}  // namespace mpbench::train
