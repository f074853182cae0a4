#pragma once

namespace mpbench::device {

/// While it lives, what the host does and starts on the GPU carries a name in NVIDIA's profilers
/// (an NVTX range; they nest). Without CUDA it does nothing.
class NamedRange {
 public:
  explicit NamedRange(const char* name);
  ~NamedRange();
  NamedRange(const NamedRange&) = delete;
  NamedRange& operator=(const NamedRange&) = delete;

 private:
  bool pushed_;
};

}  // namespace mpbench::device
