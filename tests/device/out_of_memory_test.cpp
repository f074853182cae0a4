#include "mpbench/device/out_of_memory.hpp"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace mpbench::device {
namespace {

/// What ATen 2.11, CUDA 13 and cuDNN 9.19 say, and what it means where the allocator has refused
/// nothing, and where it has.
struct Message {
  const char* text;
  bool alone;
  bool refused;
};

constexpr Message messages[]{
    {"CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of "
     "which 1.02 GiB is free.",
     true, true},
    // c10::AcceleratorError, as of cudaHostAlloc.
    {"CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in "
     "https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more "
     "information.",
     true, true},
    {"[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
     "you "
     "tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)",
     true, true},
    {"CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", true, true},
    {"cuDNN error: CUDNN_STATUS_ALLOC_FAILED", true, true},
    {"cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", true, true},
    {"cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED", true, true},
    {"FIND was unable to find an engine to execute this computation", false, true},
    {"GET was unable to find an engine to execute this computation", false, true},
    {"cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", false, true},
    {"CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", false, true},
    {"cuDNN error: CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT", false, false},
    {"CUDA error: an illegal memory access was encountered", false, false},
    {"CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(...)`", false, false},
    {"mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", false, false},
    {"CUDA error: operation not permitted when stream is capturing", false, false}};

TEST(OutOfMemoryTest, KnowsTheMessagesOfTheLibraries) {
  for (const Message& message : messages) {
    const std::runtime_error error(message.text);
    EXPECT_EQ(is_out_of_memory(error, /*refused=*/false), message.alone) << message.text;
    EXPECT_EQ(is_out_of_memory(error, /*refused=*/true), message.refused) << message.text;
  }
}

TEST(OutOfMemoryTest, KnowsTheTypes) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc(), false));
  EXPECT_TRUE(is_out_of_memory(c10::OutOfMemoryError({__func__, __FILE__, 1}, "no room"), false));
  EXPECT_FALSE(is_out_of_memory(c10::Error({__func__, __FILE__, 1}, "no shape"), true));
}

TEST(OutOfMemoryTest, AsksNoAllocatorThatIsNotThere) {
  const std::runtime_error error("FIND was unable to find an engine to execute this computation");
  EXPECT_FALSE(is_out_of_memory(error, c10::Device("cpu")));
  EXPECT_FALSE(is_out_of_memory(error, c10::Device("cuda:0")));
}

}  // namespace
}  // namespace mpbench::device
