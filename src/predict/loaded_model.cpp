#include "mpbench/predict/loaded_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/nn/weights.hpp"
#include "mpbench/train/loss.hpp"
#include "mpbench/train/options_json.hpp"

namespace mpbench::predict {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int largest_side = 16384;
constexpr int largest_batch = 1 << 20;
constexpr int most_channels = 4;
constexpr int most_outputs = 1 << 16;  // 640 MiB of the widest head

/// A checkpoint's JSON, whose numbers are checked before anything of their size is made.
class State {
 public:
  State(const Json& json, const fs::path& path) : json_(json), path_(path) {}

  /// `pointer` is a JSON pointer: "/model/name".
  const Json& at(const char* pointer) const { return json_.at(Json::json_pointer(pointer)); }

  int integer(const char* pointer, std::int64_t lowest, std::int64_t highest) const {
    const Json& value = at(pointer);
    const bool fits = value.is_number_integer() && value >= lowest && value <= highest;
    if (!fits) fail(pointer, fmt::format("is {}, not {} to {}", value.dump(), lowest, highest));
    return value.get<int>();
  }

  std::vector<float> floats(const char* pointer, std::size_t channels, bool positive) const {
    const auto values = at(pointer).get<std::vector<double>>();
    std::vector<float> floats(values.begin(), values.end());
    const bool good = std::all_of(floats.begin(), floats.end(), [&](float value) {
      return std::isfinite(value) && (!positive || value > 0);
    });
    if (!good || (!floats.empty() && floats.size() != 1 && floats.size() != channels)) {
      fail(pointer, fmt::format("is {} for {} channels", at(pointer).dump(), channels));
    }
    return floats;
  }

  [[noreturn]] void fail(const char* pointer, const std::string& problem) const {
    throw InputError(path_, *pointer == '/' ? pointer + 1 : pointer, problem);
  }

 private:
  const Json& json_;
  const fs::path& path_;
};

constexpr std::string_view average_prefix = "ema/module.";

bool has_average(const train::Checkpoint& checkpoint) {
  const auto first = checkpoint.tensors.lower_bound(std::string(average_prefix));
  return first != checkpoint.tensors.end() && first->first.starts_with(average_prefix);
}

void load(nn::ImageClassifier& model, const train::Checkpoint& checkpoint, std::string_view prefix,
          const fs::path& path) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : nn::state_of(model)) {
    const std::string stored = std::string(prefix) + name;
    const auto found = checkpoint.tensors.find(stored);
    if (found == checkpoint.tensors.end()) throw InputError(path, stored, "is missing");
    if (found->second.sizes() != tensor.sizes() ||
        found->second.scalar_type() != tensor.scalar_type()) {
      throw InputError(path, stored, "has another shape or dtype than the network");
    }
    if (!found->second.isfinite().all().item<bool>()) {
      throw InputError(path, stored, "has values that are not finite: the training diverged");
    }
    tensor.copy_(found->second);
  }
}

nn::ModelOptions options_in(const State& state) {
  nn::ModelOptions options{.name = state.at("/model/name").get<std::string>(),
                           .in_channels = state.integer("/model/in_channels", 1, most_channels),
                           .outputs = state.integer("/model/outputs", 1, most_outputs),
                           .activation = state.at("/model/activation").get<std::string>(),
                           .squeeze_excite = state.at("/model/squeeze_excite").get<std::string>()};
  if (state.at("/model").contains("origin")) {  // those of version 0.1.0 have none
    options.origin = state.at("/model/origin").get<std::string>();
  }
  try {
    nn::require_model_options(options);
  } catch (const UsageError& error) {
    state.fail("model", error.what());
  }
  return options;
}

std::string describe(const LoadedModel& network) {
  return fmt::format("{} of {} classes", network.options.name, network.class_count());
}

LoadedModel read_network(const train::Checkpoint& checkpoint, const fs::path& path, bool averaged) {
  const State state(checkpoint.state, path);
  LoadedModel network;
  network.options = options_in(state);
  network.classes = state.at("/classes").get<std::vector<std::string>>();
  if (network.classes.size() < 2) state.fail("classes", "are fewer than two");
  if (network.options.outputs != train::outputs_of(static_cast<int>(network.classes.size()))) {
    state.fail("model/outputs", fmt::format("is {} for {} classes", network.options.outputs,
                                            network.classes.size()));
  }
  network.dataset = state.at("/dataset").get<std::string>();
  network.height = state.integer("/height", 1, largest_side);
  network.width = state.integer("/width", 1, largest_side);
  const auto channels = static_cast<std::size_t>(network.options.in_channels);
  network.normalization = {.mean = state.floats("/mean", channels, /*positive=*/false),
                           .stddev = state.floats("/deviation", channels, /*positive=*/true)};
  if (network.normalization->mean.size() != network.normalization->stddev.size()) {
    state.fail("deviation", "does not go with the mean");
  }
  const train::TrainConfig config = train::options_from_json(state.at("/options"), path);
  network.precision = config.precision;
  network.depthwise = config.depthwise;
  network.emulation = config.emulation;
  network.batch_size = config.batch_size;
  network.channels_last = config.channels_last;
  network.deterministic = config.deterministic;
  if (network.batch_size < 1 || network.batch_size > largest_batch) {
    state.fail("batch-size", fmt::format("is {}, not 1 to {}", network.batch_size, largest_batch));
  }

  const bool from_average = averaged && has_average(checkpoint);
  network.model = nn::make_model(network.options);
  load(*network.model, checkpoint, from_average ? average_prefix : "", path);
  network.description =
      fmt::format("{}, {} weights, after {} epochs ({} steps)", describe(network),
                  from_average ? "averaged" : "trained", state.at("/epochs_done").dump(),
                  state.at("/steps_done").dump());
  return network;
}

std::int64_t size_in(const nn::StateDict& file, const fs::path& path, const std::string& layer,
                     std::int64_t dimension, std::int64_t highest, const std::string& model) {
  const std::string name = layer + ".weight";
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) {
    throw InputError(path, name, fmt::format("is missing: these are not weights of {}", model));
  }
  const at::Tensor& weight = found->second;
  const std::int64_t size =
      weight.dim() > dimension && weight.numel() > 0 ? weight.size(dimension) : 0;
  if (size < 1 || size > highest) {
    throw InputError(path, name,
                     fmt::format("its shape is [{}]: these are not weights of {}",
                                 fmt::join(weight.sizes().vec(), ", "), model));
  }
  return size;
}

void require_same_classes(const std::vector<std::string>& network,
                          const std::vector<std::string>& images, const fs::path& data) {
  const auto missing_in = [](const std::vector<std::string>& all,
                             const std::vector<std::string>& some) {
    std::vector<std::string> missing;
    for (const auto& name : some) {
      if (std::find(all.begin(), all.end(), name) == all.end()) missing.push_back(name);
    }
    return missing;
  };
  const auto unknown = missing_in(network, images);
  const auto absent = missing_in(images, network);
  std::vector<std::string> problems;
  if (!unknown.empty()) {
    problems.push_back(fmt::format("the network has no class {}", fmt::join(unknown, ", ")));
  }
  if (!absent.empty()) {
    problems.push_back(fmt::format("the images have no class {}", fmt::join(absent, ", ")));
  }
  if (problems.empty()) problems.emplace_back("they are in another order than the network's");
  throw InputError(data, "classes", fmt::format("{}", fmt::join(problems, "; ")));
}

/// idx files have numbers for classes, and only up to the highest that occurs in them.
bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace

LoadedModel load_model(const train::Checkpoint& checkpoint, const fs::path& path, bool averaged) {
  try {
    return read_network(checkpoint, path, averaged);
  } catch (const Json::exception& error) {
    throw InputError(path, "mpbench_state", error.what());
  }
}

WeightsShape read_weights_shape(const fs::path& path, const std::string& model) {
  const auto plain = nn::make_model({.name = model});
  const nn::StateDict file = nn::read_network(path, *plain);
  const auto outputs = size_in(file, path, plain->head(), 0, most_outputs, model);
  const auto channels = size_in(file, path, plain->stem(), 1, most_channels, model);
  return {.outputs = static_cast<int>(outputs), .channels = static_cast<int>(channels)};
}

LoadedModel load_weights_file(const fs::path& path, const nn::ModelOptions& options) {
  LoadedModel network;
  network.options = options;
  network.model = nn::make_model(options);
  const auto report = nn::load_weights(*network.model, path, {.require_head = true});
  network.options.origin = report.origin;
  report.log_warnings();
  network.description = fmt::format("{}, {}", describe(network), report.line());
  return network;
}

std::vector<std::string> agree_on_classes(const LoadedModel& network, const data::ImageDataset& set,
                                          const fs::path& data) {
  if (set.channels != network.options.in_channels) {
    throw InputError(data, "channels",
                     fmt::format("the images have {}, the network takes {}", set.channels,
                                 network.options.in_channels));
  }
  const auto count = static_cast<std::size_t>(network.class_count());
  // RSNA's images ask one question, whether anybody knows the answer or not.
  const bool has_classes = data::is_labelled(set) || set.classes.size() > 1;
  std::vector<std::string> classes = network.classes;
  if (classes.empty() && has_classes) {
    if (set.classes.size() != count) {
      throw InputError(
          data, "classes",
          fmt::format("the images have {}, the network {}", set.classes.size(), count));
    }
    classes = set.classes;
  }
  for (std::size_t i = classes.size(); i < count; ++i) classes.push_back(std::to_string(i));
  const bool numbers = data::has_numbered_classes(set) && is_prefix(set.classes, classes);
  if (has_classes && !numbers && set.classes != classes) {
    require_same_classes(classes, set.classes, data);
  }
  return classes;
}

}  // namespace mpbench::predict
