// The part of cuDNN through which LibTorch runs convolutions: descriptors of all kinds, an answer
// to each question, and one operation on the handle's stream for each plan that is run. stubs.py
// makes the rest.
#include <cudnn.h>
#include <cudnn_backend.h>

#include <cstdint>
#include <cstring>

extern "C" int fake_cuda_enqueue(void* stream, const char* name);

namespace {

struct Handle {
  void* stream = nullptr;
};
struct Descriptor {};

constexpr std::size_t version = 91900;
constexpr std::int64_t heuristics = 3;  // engine configurations that each question is answered with
constexpr std::int64_t workspace_bytes = 1 << 20;

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return version; }
size_t cudnnGetCudartVersion() { return 13000; }
const char* cudnnGetErrorString(cudnnStatus_t) { return "an error of the fake cuDNN"; }
void cudnnGetLastErrorString(char* message, size_t size) {
  if (size > 0) *message = '\0';
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = reinterpret_cast<cudnnHandle_t>(new Handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  reinterpret_cast<Handle*>(handle)->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  *stream = static_cast<cudaStream_t>(reinterpret_cast<Handle*>(handle)->stream);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t,
                                           cudnnBackendDescriptor_t* descriptor) {
  *descriptor = new Descriptor;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  delete static_cast<Descriptor*>(descriptor);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t, cudnnBackendAttributeName_t,
                                       cudnnBackendAttributeType_t, int64_t, const void*) {
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t wanted,
                                       int64_t* number, void* values) {
  int64_t there = 1;
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) there = heuristics;
  if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE || name == CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE ||
      name == CUDNN_ATTR_ENGINECFG_KNOB_CHOICES) {
    there = 0;
  }
  if (values != nullptr && wanted > 0 && type == CUDNN_TYPE_INT64) {
    *static_cast<int64_t*>(values) =
        name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE ? workspace_bytes : 0;
  }
  if (number != nullptr) *number = values != nullptr && wanted < there ? wanted : there;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t,
                                  cudnnBackendDescriptor_t) {
  fake_cuda_enqueue(reinterpret_cast<Handle*>(handle)->stream, "kernel cudnn convolution");
  return CUDNN_STATUS_SUCCESS;
}
}
