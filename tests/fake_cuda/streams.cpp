#include <utility>

#include "fake.hpp"

#undef cudaStreamGetCaptureInfo

using namespace fake_cuda;

namespace {

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;
std::uint64_t captures = 0;

Event& event_of(cudaEvent_t handle) { return *reinterpret_cast<Event*>(handle); }
Graph& graph_of(cudaGraph_t handle) { return *reinterpret_cast<Graph*>(handle); }
Graph& graph_of(cudaGraphExec_t handle) { return *reinterpret_cast<Graph*>(handle); }
Stream& origin_of(Stream& stream) { return stream.origin == nullptr ? stream : *stream.origin; }

bool is_default(cudaStream_t handle) {
  return handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread;
}

/// A device works off one operation after the other.
void occupy(Stream& stream, std::size_t operations) {
  stream.free_at =
      std::max(now(), stream.free_at) + options().launch_seconds * static_cast<double>(operations);
}

}  // namespace

namespace fake_cuda {

Stream& stream_of(cudaStream_t handle) {
  if (!is_default(handle)) return *reinterpret_cast<Stream*>(handle);
  const std::lock_guard lock(state().mutex);
  Stream& stream = state().default_streams[current_device()];
  stream.device = current_device();
  return stream;
}

cudaError_t refuse_while_capturing(const char* call) {
  const std::lock_guard lock(state().mutex);
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (Stream* stream : state().streams) {
    if (stream->graph == nullptr || stream->origin != nullptr ||
        stream->mode == cudaStreamCaptureModeRelaxed)
      continue;
    const bool mine = stream->thread == thread_id();
    const bool everyones =
        stream->mode == cudaStreamCaptureModeGlobal && thread_mode == cudaStreamCaptureModeGlobal;
    if (!mine && !everyones) continue;
    violation(std::string(call) + " during a capture");
    stream->invalid = true;
    return failed(cudaErrorStreamCaptureUnsupported);
  }
  return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t handle, const std::string& name, std::function<void()> run) {
  const std::lock_guard lock(state().mutex);
  Stream& stream = stream_of(handle);
  if (is_default(handle)) {
    for (const Stream* other : state().streams) {
      if (other->graph == nullptr || (other->flags & cudaStreamNonBlocking) != 0) continue;
      violation(name + " on the default stream during a capture");
      return failed(cudaErrorStreamCaptureImplicit);
    }
  } else if (stream.device != current_device()) {
    violation(name + " on a stream of another device");
  }
  if (stream.graph != nullptr) {
    stream.graph->operations.push_back({name, std::move(run)});
    count("captured " + name);
    return cudaSuccess;
  }
  count(name);
  occupy(stream, 1);
  if (run) run();
  return cudaSuccess;
}

}  // namespace fake_cuda

extern "C" {

int fake_cuda_enqueue(void* stream, const char* name) {
  return enqueue(static_cast<cudaStream_t>(stream), name);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned flags, int) {
  use_context(current_device());
  const std::lock_guard lock(state().mutex);
  auto* stream = new Stream;
  stream->device = current_device();
  stream->flags = flags;
  state().streams.push_back(stream);
  *handle = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  use_context(current_device());
  Stream& stream = stream_of(handle);
  if (stream.graph != nullptr) {
    violation("cudaStreamSynchronize of a stream that is captured");
    origin_of(stream).invalid = true;
    return failed(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = refuse_while_capturing("cudaStreamSynchronize")) return error;
  count("synchronize stream");
  wait_until(stream.free_at);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  if (const cudaError_t error = refuse_while_capturing("cudaStreamQuery")) return error;
  return stream_of(handle).free_at > now() ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaStreamAddCallback(cudaStream_t, cudaStreamCallback_t, void*, unsigned) {
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  Stream& stream = stream_of(handle);
  *status = stream.graph == nullptr     ? cudaStreamCaptureStatusNone
            : origin_of(stream).invalid ? cudaStreamCaptureStatusInvalidated
                                        : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status,
                                     unsigned long long* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges, std::size_t* number) {
  const Stream& stream = stream_of(handle);
  cudaStreamIsCapturing(handle, status);
  if (id != nullptr) *id = stream.capture;
  if (graph != nullptr) *graph = reinterpret_cast<cudaGraph_t>(stream.graph);
  if (dependencies != nullptr) *dependencies = nullptr;
  if (edges != nullptr) *edges = nullptr;
  if (number != nullptr) *number = 0;
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(state().mutex);
  Stream& stream = stream_of(handle);
  count("capture");
  stream.graph = new Graph;
  stream.origin = nullptr;
  stream.invalid = false;
  stream.capture = ++captures;
  stream.mode = mode;
  stream.thread = thread_id();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const std::lock_guard lock(state().mutex);
  Stream& stream = stream_of(handle);
  if (stream.graph == nullptr) return failed(cudaErrorIllegalState);
  if (stream.thread != thread_id()) violation("a capture that another thread began is ended");
  for (Stream* other : state().streams) {
    if (other->origin != &stream) continue;
    other->graph = nullptr;
    other->origin = nullptr;
  }
  Graph* const captured = std::exchange(stream.graph, nullptr);
  if (stream.invalid || options().failing_capture) {
    *graph = nullptr;
    return failed(cudaErrorStreamCaptureInvalidated);
  }
  *graph = reinterpret_cast<cudaGraph_t>(captured);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* number) {
  *number = graph_of(graph).operations.size();
  return cudaSuccess;
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t, cudaGraphNode_t*, cudaGraphEdgeData*,
                                         std::size_t* number) {
  *number = 0;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long) {
  *executable = reinterpret_cast<cudaGraphExec_t>(new Graph(graph_of(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  const std::lock_guard lock(state().mutex);
  Graph& graph = graph_of(executable);
  count("launch graph");
  occupy(stream_of(handle), graph.operations.size());
  for (const Operation& operation : graph.operations) {
    if (operation.run) operation.run();
  }
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete &graph_of(executable);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete &graph_of(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphDebugDotPrint(cudaGraph_t, const char*, unsigned) { return cudaSuccess; }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  use_context(current_device());
  count("create event");
  auto* event = new Event;
  event->device = current_device();
  event->flags = flags;
  *handle = reinterpret_cast<cudaEvent_t>(event);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* handle) { return cudaEventCreateWithFlags(handle, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  delete &event_of(handle);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  const std::lock_guard lock(state().mutex);
  Event& event = event_of(handle);
  Stream& stream = stream_of(stream_handle);
  if (event.device != stream.device) {
    violation("an event is recorded on a stream of another device");
    return failed(cudaErrorInvalidResourceHandle);
  }
  event.recorded = true;
  event.at = std::max(now(), stream.free_at);
  event.captured_in = stream.graph == nullptr ? nullptr : &origin_of(stream);
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  if (const cudaError_t error = refuse_while_capturing("cudaEventQuery")) return error;
  if (event_of(handle).captured_in != nullptr) {
    violation("an event of a capture is queried");
    return failed(cudaErrorCapturedEvent);
  }
  return event_of(handle).at > now() ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  use_context(current_device());
  if (const cudaError_t error = refuse_while_capturing("cudaEventSynchronize")) return error;
  if (event_of(handle).captured_in != nullptr) {
    violation("an event of a capture is waited for");
    return failed(cudaErrorCapturedEvent);
  }
  count("synchronize event");
  wait_until(event_of(handle).at);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  const Event& from = event_of(first);
  const Event& to = event_of(last);
  const bool untimed = ((from.flags | to.flags) & cudaEventDisableTiming) != 0;
  if (untimed || !from.recorded || !to.recorded) return failed(cudaErrorInvalidResourceHandle);
  if (std::max(from.at, to.at) > now()) return cudaErrorNotReady;
  *milliseconds = static_cast<float>(1e3 * (to.at - from.at));
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned) {
  const std::lock_guard lock(state().mutex);
  Stream& stream = stream_of(handle);
  const Event& event = event_of(event_handle);
  Stream* const capturing = event.captured_in;
  if (capturing != nullptr && capturing->graph != nullptr &&
      stream.graph == nullptr) {  // it joins the capture
    stream.graph = capturing->graph;
    stream.origin = capturing;
    stream.capture = capturing->capture;
  } else if (stream.graph != nullptr && capturing == nullptr && event.recorded) {
    violation("a stream that is captured waits for an event from outside");
    origin_of(stream).invalid = true;
    return failed(cudaErrorStreamCaptureIsolation);
  }
  stream.free_at = std::max(stream.free_at, event.at);
  return cudaSuccess;
}
}
