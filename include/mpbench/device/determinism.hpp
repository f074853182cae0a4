#pragma once

namespace mpbench::device {

/// While it lives with `on`, operators whose result varies from run to run are refused, and cuDNN
/// neither tries kernels out nor uses such ones (torch.use_deterministic_algorithms). With `on`
/// false and `benchmark`, cuDNN tries out which kernel is fastest for each new shape
/// (torch.backends.cudnn.benchmark). What was set before comes back at the end.
///
/// cuBLAS needs CUBLAS_WORKSPACE_CONFIG before its first use: it is set here where it is not.
class DeterminismGuard {
 public:
  DeterminismGuard(bool on, bool benchmark);
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

/// While it lives, cuDNN takes the kernel that its heuristics name: for shapes that are used too
/// few times to repay the search.
class NoCudnnBenchmarkGuard {
 public:
  NoCudnnBenchmarkGuard();
  ~NoCudnnBenchmarkGuard();
  NoCudnnBenchmarkGuard(const NoCudnnBenchmarkGuard&) = delete;
  NoCudnnBenchmarkGuard& operator=(const NoCudnnBenchmarkGuard&) = delete;

 private:
  bool benchmark_;
};

}  // namespace mpbench::device
