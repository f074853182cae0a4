#pragma once

#include <torch/types.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "mpbench/io/safetensors.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/nn/safetensors_dtype.hpp"
#include "mpbench/nn/state_dict.hpp"

/// Files of weights as safetensors.torch.save_file makes them, for tests of what reads them.
namespace mpbench::nn {

/// Writes a .safetensors file: each tensor row-major, whatever its layout in memory, with
/// {"format": "pt"} and `metadata`. Throws Error when it cannot be written, or for a dtype that the
/// format lacks.
inline void write_state_dict(const std::filesystem::path& path, const TensorsByName& tensors,
                             safetensors::Metadata metadata = {}) {
  metadata["format"] = "pt";
  std::vector<safetensors::TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) {
    infos.push_back({.name = name,
                     .dtype = safetensors_dtype(tensor.scalar_type()),
                     .shape = tensor.sizes().vec()});
  }
  // The largest elements first, so that each tensor is aligned for its own.
  std::stable_sort(infos.begin(), infos.end(), [](const auto& a, const auto& b) {
    return safetensors::element_bytes(a.dtype) > safetensors::element_bytes(b.dtype);
  });
  safetensors::Writer writer(path, infos, metadata);
  for (const auto& info : infos) {
    const at::Tensor values = tensors.at(info.name).detach().cpu().contiguous();
    const auto* begin = static_cast<const std::byte*>(values.const_data_ptr());
    writer.write(info.name, 0, {begin, static_cast<std::size_t>(values.nbytes())});
  }
  writer.commit();
}

/// Writes a model's parameters and buffers; torchvision's model of the same name loads them with
/// strict=True.
inline void save_weights(const ImageClassifier& model, const std::filesystem::path& path,
                         safetensors::Metadata metadata = {}) {
  write_state_dict(path, state_of(model), std::move(metadata));
}

}  // namespace mpbench::nn
