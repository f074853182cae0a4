#pragma once

#include <ATen/core/Tensor.h>

namespace mpbench::kernels {

/// Whether it is what our kernels read: images [N, C, H, W] on the CPU, channels_last and not
/// empty, hence a matrix of pixels and channels.
inline bool is_dense_image(const at::Tensor& tensor) {
  return tensor.dim() == 4 && tensor.is_cpu() && tensor.layout() == at::kStrided &&
         tensor.numel() > 0 && tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace mpbench::kernels
