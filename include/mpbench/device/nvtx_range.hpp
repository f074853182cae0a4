#pragma once

namespace mpbench::device {

/// While it lives, what the host does and starts on the GPU carries a name in NVIDIA's profilers
/// (an NVTX range; they nest). Without CUDA it does nothing.
class NvtxRange {
 public:
  explicit NvtxRange(const char* name);
  ~NvtxRange();
  NvtxRange(const NvtxRange&) = delete;
  NvtxRange& operator=(const NvtxRange&) = delete;

 private:
  bool pushed_;
};

}  // namespace mpbench::device
