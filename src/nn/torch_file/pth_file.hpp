#pragma once

#include <filesystem>

#include "mpbench/nn/state_dict.hpp"

namespace mpbench::nn {

/// Reads the tensors of a file that torch.save wrote, in its zip format or the one before PyTorch
/// 1.6: a state_dict, or a training checkpoint that has one as "state_dict", "model" or the like
/// (where it also has an averaged one, "state_dict_ema" or "model_ema", that is taken).
///
/// A .pth file is a pickle, which is a program. It is not run here: dicts, lists, numbers, texts
/// and dense tensors are made of it, and objects of all other classes (argparse.Namespace, numpy's,
/// the user's own) are read over. Names that run programs (os.system) are refused. Sizes, offsets
/// and strides are checked against the bytes that the file has, and nothing is allocated by a
/// number that it states.
///
/// Throws Error when the file cannot be read, and InputError naming the record or the tensor for
/// everything else: a file of another kind (a Git LFS pointer, a web page), a TorchScript archive,
/// a truncated or damaged one, a big-endian one.
StateDict read_pth_file(const std::filesystem::path& path);

/// Whether the file begins as a zip archive does.
bool begins_like_zip(const std::filesystem::path& path);

}  // namespace mpbench::nn
