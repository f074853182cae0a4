#include "mpbench/nn/state_dict.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "byte_tensor.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/nn/pth_file.hpp"
#include "mpbench/nn/safetensors_dtype.hpp"
#include "tensor_limits.hpp"

namespace mpbench::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> prefixes{"module.", "_orig_mod.", "model."};
constexpr int most_prefixes = 3;  // wrapped in one another: "module._orig_mod."

/// A safetensors file is told by its header, a JSON object behind eight bytes of length.
bool begins_like_safetensors(const fs::path& path) {
  std::array<char, 9> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return file && start.back() == '{';
}

StateDict read_safetensors(const fs::path& path) {
  const auto file = std::make_shared<const safetensors::File>(path);
  StateDict state;
  const auto& infos = file->tensors();
  if (infos.empty()) throw InputError(path, "header", "there are no tensors");
  // They are in the order of their places, so the first one's bytes lead to all: looking each up by
  // its name takes the square of their number, which is the file's choice.
  const std::byte* data = file->bytes(infos.front().name).data();
  const bool is_checkpoint = file->metadata().contains("mpbench_state");
  for (const auto& info : infos) {
    if (is_checkpoint && info.name.find('/') != std::string::npos) {
      ++state.left_aside;
      continue;
    }
    at::ScalarType dtype{};
    try {
      dtype = torch_dtype(info.dtype);
    } catch (const Error& error) {
      throw InputError(path, info.name, error.what());
    }
    if (info.shape.size() > most_dimensions) {
      throw InputError(path, info.name, fmt::format("it has {} dimensions", info.shape.size()));
    }
    const std::span bytes(data + info.begin, info.end - info.begin);
    state.tensors.emplace(info.name, byte_tensor(bytes, dtype, file).reshape(info.shape));
  }
  return state;
}

/// Takes `prefix` off all names, if all have it.
bool strip(StateDict& state, std::string_view prefix) {
  TensorsByName stripped;
  std::size_t others = 0;
  for (const auto& [name, tensor] : state.tensors) {
    // Beside the module, torch.optim.swa_utils.AveragedModel counts what it averaged.
    if (name == "n_averaged") {
      ++others;
      continue;
    }
    if (!name.starts_with(prefix)) return false;
    stripped.emplace(name.substr(prefix.size()), tensor);
  }
  if (stripped.empty()) return false;
  state.tensors = std::move(stripped);
  state.prefix += prefix;
  state.left_aside += others;
  return true;
}

}  // namespace

StateDict read_state_dict(const fs::path& path) {
  // What is no regular file is left to read_pth_file, which refuses it without waiting for bytes.
  const bool is_safetensors = fs::is_regular_file(path) && !begins_like_zip(path) &&
                              (begins_like_safetensors(path) || path.extension() == ".safetensors");
  StateDict state = is_safetensors ? read_safetensors(path) : read_pth_file(path);
  const auto strip_one = [&] {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return strip(state, prefix); });
  };
  for (int i = 0; i < most_prefixes && strip_one(); ++i) continue;
  return state;
}

TensorsByName state_of(const torch::nn::Module& module) {
  TensorsByName tensors;
  for (const auto& entry : module.named_parameters()) tensors.emplace(entry.key(), entry.value());
  for (const auto& entry : module.named_buffers()) {
    if (entry.value().defined()) tensors.emplace(entry.key(), entry.value());
  }
  return tensors;
}

void write_state_dict(const fs::path& path, const TensorsByName& tensors,
                      safetensors::Metadata metadata) {
  metadata["format"] = "pt";
  std::vector<safetensors::TensorInfo> infos;
  for (const auto& [name, tensor] : tensors) {
    infos.push_back({.name = name,
                     .dtype = safetensors_dtype(tensor.scalar_type()),
                     .shape = tensor.sizes().vec()});
  }
  // The largest elements first, so that each tensor is aligned for its own.
  std::stable_sort(infos.begin(), infos.end(), [](const auto& a, const auto& b) {
    return safetensors::element_bytes(a.dtype) > safetensors::element_bytes(b.dtype);
  });
  safetensors::Writer writer(path, infos, metadata);
  for (const auto& info : infos) {
    const at::Tensor values = tensors.at(info.name).detach().cpu().contiguous();
    const auto* begin = static_cast<const std::byte*>(values.const_data_ptr());
    writer.write(info.name, 0, {begin, static_cast<std::size_t>(values.nbytes())});
  }
  writer.commit();
}

}  // namespace mpbench::nn
