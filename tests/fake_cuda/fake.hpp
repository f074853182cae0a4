#pragma once

// A stand-in for CUDA's runtime, cuBLAS and cuDNN, for tests on a machine without a GPU. Device
// memory is host memory, kernels do nothing but fill, every call is counted, and the rules of
// stream capture are enforced. It shows what the host does: which calls, in which order, on which
// device. It says nothing of values, nor of real times. README.md has how to use it.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace fake_cuda {

/// What a test chooses, from environment variables.
struct Options {
  int devices = 1;                          ///< FAKE_CUDA_DEVICES
  std::size_t memory_bytes = 80ULL << 30U;  ///< FAKE_CUDA_MEMORY: of each device
  double launch_seconds =
      0;  ///< FAKE_CUDA_LAUNCH_US: how long a device works on each launch or copy
  bool failing_capture = false;  ///< FAKE_CUDA_FAILING_CAPTURE: each capture ends as invalidated
  std::string
      refused;         ///< FAKE_CUDA_REFUSED: cudaGetDeviceProperties or cudaHostAlloc, which fails
  std::string report;  ///< FAKE_CUDA_REPORT: a file for the counts, as JSON; %p is the process
  std::string backtrace;  ///< FAKE_CUDA_BACKTRACE: print who makes calls whose name has this in it
};
const Options& options();

struct Operation {
  std::string name;
  std::function<void()> run;  ///< may be empty
};

struct Graph {
  std::vector<Operation> operations;
};

struct Stream {
  int device = 0;
  unsigned flags = 0;
  double free_at = 0;  ///< when the device will have done what was queued
  // While it is captured:
  Graph* graph = nullptr;    ///< null: it is not
  Stream* origin = nullptr;  ///< the stream whose capture it joined; null for that stream itself
  std::uint64_t capture = 0;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  long thread = 0;  ///< that began the capture
  bool invalid = false;
};

struct Event {
  int device = 0;
  unsigned flags = 0;
  bool recorded = false;
  double at = 0;  ///< when the device reaches it
  Stream* captured_in = nullptr;
};

struct Allocation {
  std::size_t bytes = 0;
  int device = 0;
};

/// All there is, behind one lock.
struct State {
  std::recursive_mutex mutex;
  std::map<std::string, long> counts;
  std::vector<std::string> violations;  ///< of the rules of stream capture, and of devices
  std::set<int> contexts;               ///< devices that have one
  std::map<int, Stream> default_streams;
  std::vector<Stream*> streams;
  std::map<const void*, Allocation> device_memory;
  std::map<const void*, Allocation> pinned_memory;
  std::map<int, std::size_t> used_bytes;
  std::size_t peak_bytes = 0;
  std::map<const void*, std::string> kernel_names;
};
State& state();

double now();
void wait_until(double time);
long thread_id();
int& current_device();

/// Counts a call, and says who made it where a test asked for that.
void count(const std::string& call);
void violation(const std::string& what);
/// Keeps an error for cudaGetLastError.
cudaError_t failed(cudaError_t error);
/// A call that needs the device makes its context.
void use_context(int device);

Stream& stream_of(cudaStream_t handle);
/// cudaSuccess, or an error where a capture under way forbids such a call to this thread.
cudaError_t refuse_while_capturing(const char* call);
/// Runs an operation on a stream, or adds it to the graph that is captured there.
cudaError_t enqueue(cudaStream_t stream, const std::string& name, std::function<void()> run = {});

}  // namespace fake_cuda

// For the stand-ins of cuBLAS and cuDNN.
extern "C" int fake_cuda_enqueue(void* stream, const char* name);
