#pragma once

namespace mpbench::device {

/// While it lives with `on`, operators whose result varies from run to run are refused, and cuDNN
/// neither tries kernels out nor uses such ones (torch.use_deterministic_algorithms). With `on`
/// false, cuDNN may try out which kernel is fastest. What was set before comes back at the end.
///
/// cuBLAS needs CUBLAS_WORKSPACE_CONFIG before its first use: it is set here where it is not.
class DeterminismGuard {
 public:
  explicit DeterminismGuard(bool on);
  ~DeterminismGuard();
  DeterminismGuard(const DeterminismGuard&) = delete;
  DeterminismGuard& operator=(const DeterminismGuard&) = delete;

 private:
  bool algorithms_;
  bool warn_only_;
  bool fill_uninitialized_;
  bool cudnn_;
  bool benchmark_;
};

}  // namespace mpbench::device
