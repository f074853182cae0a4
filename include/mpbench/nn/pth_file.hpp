#pragma once

#include <filesystem>

#include "mpbench/nn/state_dict.hpp"

namespace mpbench::nn {

/// Reads the tensors of a file that torch.save wrote in its zip format: a state_dict, or a training
/// checkpoint that has one as "state_dict", "model" or the like (where it also has an averaged one,
/// "state_dict_ema" or "model_ema", that is taken).
///
/// A .pth file is a pickle, which is a program. It is not run here: what it may name is a short
/// list, dicts, lists, numbers, texts and dense tensors, and anything else is refused by its name.
/// Sizes, offsets and strides are checked against the bytes that the file has, and nothing is
/// allocated by a number that it states.
///
/// Throws Error when the file cannot be read, and InputError naming the record or the tensor for
/// everything else: an old (not zip) file of torch.save, a TorchScript archive, a truncated or
/// damaged one, a big-endian one.
StateDict read_pth_file(const std::filesystem::path& path);

/// Whether the file begins as a zip archive does.
bool begins_like_zip(const std::filesystem::path& path);

}  // namespace mpbench::nn
