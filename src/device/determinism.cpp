#include "mpbench/device/determinism.hpp"

#include <ATen/Context.h>

#include <cstdlib>

namespace mpbench::device {

DeterminismGuard::DeterminismGuard(bool on, bool benchmark) {
  at::Context& context = at::globalContext();
  algorithms_ = context.deterministicAlgorithms();
  warn_only_ = context.deterministicAlgorithmsWarnOnly();
  fill_uninitialized_ = context.deterministicFillUninitializedMemory();
  cudnn_ = context.deterministicCuDNN();
  benchmark_ = context.benchmarkCuDNN();
  context.setDeterministicAlgorithms(on, /*warn_only=*/false);
  // It would fill every new tensor with NaN to show reads of what nobody wrote: a test's business.
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(on);
  context.setBenchmarkCuDNN(benchmark && !on);
  if (on) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/0);
}

DeterminismGuard::~DeterminismGuard() {
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(algorithms_, warn_only_);
  context.setDeterministicFillUninitializedMemory(fill_uninitialized_);
  context.setDeterministicCuDNN(cudnn_);
  context.setBenchmarkCuDNN(benchmark_);
}

NoCudnnBenchmarkGuard::NoCudnnBenchmarkGuard() : benchmark_(at::globalContext().benchmarkCuDNN()) {
  at::globalContext().setBenchmarkCuDNN(false);
}

NoCudnnBenchmarkGuard::~NoCudnnBenchmarkGuard() {
  at::globalContext().setBenchmarkCuDNN(benchmark_);
}

}  // namespace mpbench::device
