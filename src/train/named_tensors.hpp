#pragma once

#include <ATen/core/TensorBody.h>

#include <map>
#include <string>

namespace mpbench::train {

/// What a checkpoint keeps of one part of a run.
using NamedTensors = std::map<std::string, at::Tensor>;

/// Copies `loaded` into `own`, name by name. Throws Error ("`owner` state: ...") when a name is
/// missing or left over, or a tensor has another shape or dtype; nothing has been changed then.
void copy_named_tensors(const std::string& owner, const NamedTensors& loaded,
                        const NamedTensors& own);

}  // namespace mpbench::train
