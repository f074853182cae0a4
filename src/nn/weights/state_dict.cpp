#include "mpbench/nn/state_dict.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "../torch_file/pth_file.hpp"
#include "byte_tensor.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/nn/safetensors_dtype.hpp"
#include "tensor_limits.hpp"

namespace mpbench::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> prefixes{"module.", "model."};
constexpr int most_prefixes = 3;  // wrapped in one another: "model.module."
// What wraps a module, anywhere in a network, and computes what it does.
constexpr std::array<std::string_view, 3> wrapping_modules{"_orig_mod.", "_fsdp_wrapped_module.",
                                                           "_checkpoint_wrapped_module."};
constexpr const char* state_key = "mpbench_state";
constexpr std::string_view average_prefix = "ema/module.";

/// A safetensors file is told by its header, a JSON object behind eight bytes of length.
bool begins_like_safetensors(const fs::path& path) {
  std::array<char, 9> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return file && start.back() == '{';
}

/// Whose details the network of one of this program's checkpoints has (ModelOptions::origin).
std::string origin_in(const std::string& state, const fs::path& path) {
  const auto json = nlohmann::json::parse(state, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json::json_pointer pointer("/model/origin");
  if (!json.is_object() || !json.contains(pointer)) return {};
  if (!json.at(pointer).is_string()) throw InputError(path, "model/origin", "it is not a string");
  return json.at(pointer).get<std::string>();
}

torch::Tensor read_tensor(const safetensors::TensorInfo& info, std::span<const std::byte> bytes,
                          const std::shared_ptr<const safetensors::File>& file) {
  torch::ScalarType dtype{};
  try {
    dtype = torch_dtype(info.dtype);
  } catch (const Error& error) {
    throw InputError(file->path(), info.name, error.what());
  }
  if (info.shape.size() > most_dimensions) {
    throw InputError(file->path(), info.name,
                     fmt::format("it has {} dimensions", info.shape.size()));
  }
  return byte_tensor(bytes, dtype, file).reshape(info.shape);
}

/// The name that a checkpoint's tensor has in the network; nothing for one that is not the
/// network's: of the optimizer, or of the weights that the average goes before.
std::optional<std::string> name_in_network(const std::string& name, bool averaged) {
  if (averaged) {
    if (!name.starts_with(average_prefix)) return {};
    return name.substr(average_prefix.size());
  }
  if (name.find('/') != std::string::npos) return {};
  return name;
}

StateDict read_safetensors(const fs::path& path) {
  const auto file = std::make_shared<const safetensors::File>(path);
  StateDict state;
  const auto& infos = file->tensors();
  if (infos.empty()) throw InputError(path, "header", "there are no tensors");
  // They are in the order of their places, so the first one's bytes lead to all: looking each up by
  // its name takes the square of their number, which is the file's choice.
  const std::byte* data = file->bytes(infos.front().name).data();
  const auto own_state = file->metadata().find(state_key);
  const bool is_checkpoint = own_state != file->metadata().end();
  const bool averaged =
      is_checkpoint && std::any_of(infos.begin(), infos.end(), [](const auto& info) {
        return info.name.starts_with(average_prefix);
      });
  if (is_checkpoint) state.origin = origin_in(own_state->second, path);
  if (averaged) {
    state.wrapper = "ema";
    state.wrapper_note = "the averaged weights of a run with --ema-decay, not the trained ones";
  }
  for (const auto& info : infos) {
    const auto name = is_checkpoint ? name_in_network(info.name, averaged) : info.name;
    if (!name) {
      state.skipped.push_back(info.name);
      continue;
    }
    const std::span bytes(data + info.begin, info.end - info.begin);
    state.tensors.emplace(*name, read_tensor(info, bytes, file));
  }
  return state;
}

/// A name without the wrapping modules in it, which are added to `removed`.
std::string unwrap_name(std::string_view name, std::string& removed) {
  std::string shorter;
  while (!name.empty()) {
    const std::size_t end = name.find('.');
    const std::string_view part = name.substr(0, end == name.npos ? end : end + 1);
    const bool wraps =
        std::find(wrapping_modules.begin(), wrapping_modules.end(), part) != wrapping_modules.end();
    if (!wraps) shorter += part;
    if (wraps && removed.find(part) == removed.npos) removed += part;
    name.remove_prefix(part.size());
  }
  return shorter;
}

/// Takes the names of wrapping modules out of all names, where they stay different.
void unwrap_names(StateDict& state) {
  TensorsByName unwrapped;
  std::string removed;
  for (const auto& [name, tensor] : state.tensors) {
    if (!unwrapped.emplace(unwrap_name(name, removed), tensor).second) return;
  }
  state.tensors = std::move(unwrapped);
  state.prefix += removed;
}

/// Takes `prefix` off all names, if all have it.
bool strip(StateDict& state, std::string_view prefix) {
  TensorsByName stripped;
  bool is_average = false;
  for (const auto& [name, tensor] : state.tensors) {
    // Beside the module, torch.optim.swa_utils.AveragedModel counts what it averaged.
    if (name == "n_averaged") {
      is_average = true;
      continue;
    }
    if (!name.starts_with(prefix)) return false;
    stripped.emplace(name.substr(prefix.size()), tensor);
  }
  if (stripped.empty()) return false;
  state.tensors = std::move(stripped);
  state.prefix += prefix;
  if (is_average) state.skipped.emplace_back("n_averaged");
  return true;
}

}  // namespace

StateDict read_state_dict(const fs::path& path) {
  // What is no regular file is left to read_pth_file, which refuses it without waiting for bytes.
  const bool is_safetensors = fs::is_regular_file(path) && !begins_like_zip(path) &&
                              (begins_like_safetensors(path) || path.extension() == ".safetensors");
  StateDict state = is_safetensors ? read_safetensors(path) : read_pth_file(path);
  unwrap_names(state);
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

}  // namespace mpbench::nn
