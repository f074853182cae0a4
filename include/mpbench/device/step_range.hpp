#pragma once

#include <ATen/record_function.h>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::device {

/// The parts of a training step that are not a layer's own work.
enum class StepPart {
  data_wait,
  forward_and_backward,
  loss,
  gradient_scaler,
  gradient_clipping,
  optimizer,
  weight_average,
  sums,  ///< loss and correct predictions, for the log and epochs.csv
};

}  // namespace mpbench::device

template <>
inline constexpr auto mpbench::enum_names<mpbench::device::StepPart> =
    std::to_array<mpbench::EnumName<mpbench::device::StepPart>>(
        {{mpbench::device::StepPart::data_wait, "data wait"},
         {mpbench::device::StepPart::forward_and_backward, "forward and backward"},
         {mpbench::device::StepPart::loss, "loss"},
         {mpbench::device::StepPart::gradient_scaler, "gradient scaler"},
         {mpbench::device::StepPart::gradient_clipping, "gradient clipping"},
         {mpbench::device::StepPart::optimizer, "optimizer"},
         {mpbench::device::StepPart::weight_average, "weight average"},
         {mpbench::device::StepPart::sums, "sums"}});

namespace mpbench::device {

/// While it lives, what the host does and starts on the GPU carries the part's name: in NVIDIA's
/// profilers (an NVTX range), and in LibTorch's own (a user annotation). Ranges nest. Where nobody
/// profiles it does nothing.
class StepRange {
 public:
  explicit StepRange(StepPart part);
  ~StepRange();
  StepRange(const StepRange&) = delete;
  StepRange& operator=(const StepRange&) = delete;

 private:
  bool pushed_;
  at::RecordFunction record_;
};

}  // namespace mpbench::device
