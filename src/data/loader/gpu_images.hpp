#pragma once

#include <ATen/core/TensorBody.h>

#include <cstddef>

namespace mpbench::data {

/// [C, H, W] -> [H, W, C], `plane` = H * W: done by the thread that fills a batch, so that the GPU
/// has no strided copy to make.
template <typename Pixel>
void interleave(const Pixel* planes, Pixel* pixels, int channels, std::ptrdiff_t plane) {
  for (int c = 0; c < channels; ++c) {
    const Pixel* from = planes + c * plane;
    for (std::ptrdiff_t i = 0; i < plane; ++i) pixels[i * channels + c] = from[i];
  }
}

/// Stored pixels [N, C, H, W], in the memory format that is asked for or with one channel, to
/// float32: rounded after `scale` and again after `offset` (each [1, C, 1, 1]). Two passes over the
/// images; one, with a fused multiply-add, would round once and give other values.
///
/// Into `place` where it is defined and of that size (and then returned), else into a tensor of its
/// own.
at::Tensor normalised(const at::Tensor& stored, const at::Tensor& scale, const at::Tensor& offset,
                      bool channels_last, const at::Tensor& place = {});

}  // namespace mpbench::data
