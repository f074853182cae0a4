#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "../torch_file/unpickler.hpp"

namespace mpbench::nn {

/// Whether a name says that the weights under it are an average of the trained ones: "model_ema",
/// "swa_model.", "averaged_model", "teacher".
bool names_an_average(std::string_view name);

/// Where in a training checkpoint the network's tensors are.
struct NetworkEntry {
  const PickledDict* dict = nullptr;
  std::string wrapper;  ///< the keys that lead to it: "model.state_dict"; empty: the whole file
  std::string note;     ///< which other one was there, and why this one was taken; empty: none
};

/// Finds the state_dict in a pickle: the file's dict itself, or one in it, up to three keys deep
/// ("state_dict", "model", ...). An averaged one goes before the trained weights, as it is what
/// was judged, unless it lacks some of their tensors. Throws InputError naming what there is
/// instead.
NetworkEntry find_network_entry(const PickledValue& root, const std::filesystem::path& path);

}  // namespace mpbench::nn
