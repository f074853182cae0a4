#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mpbench::nn {

using TensorsByName = std::map<std::string, torch::Tensor>;

/// A network's tensors as a file has them.
struct StateDict {
  /// On the CPU, in the file's dtypes. They may be views of the file's bytes: copy from them, never
  /// write to them.
  TensorsByName tensors;
  std::string wrapper;       ///< the entry of a training checkpoint they were in: "model_ema"
  std::string wrapper_note;  ///< which of several entries that is, and why
  std::string prefix;        ///< what all names began with, and do no more: "module."
  std::string architecture;  ///< the network's name, where the file tells: timm's "arch"
  std::string origin;        ///< of a checkpoint of this program, ModelOptions::origin; else empty
  std::vector<std::string> skipped;  ///< what is in the file beside the network
};

/// Reads a .safetensors file, or a .pth file (pth_file.hpp); its content tells which it is. Of a
/// checkpoint of this program the network is read, its averaged weights where it has them. What
/// torch.compile ("_orig_mod.") and FSDP put into names is taken out, and the prefixes of
/// DataParallel ("module.") and Lightning ("model.") are taken off where all names have them.
///
/// Throws Error when the file cannot be read, and InputError naming the tensor or the part of the
/// file that is damaged, or of a kind or dtype that is not supported; for a file of another kind
/// (a Git LFS pointer, a web page), what it is.
StateDict read_state_dict(const std::filesystem::path& path);

/// Parameters and buffers under their names; they share the module's memory.
TensorsByName state_of(const torch::nn::Module& module);

}  // namespace mpbench::nn
