#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <set>

#include "mpbench/io/toml_text.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/train/options_json.hpp"
#include "mpbench/train/setup.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {
namespace {

/// Options that may differ between a checkpoint and the run that goes on from it: how long it is,
/// where things are, how fast. `schedule` and the rates follow the new length.
const std::set<std::string> free_options{"data",       "epochs",      "steps",
                                         "early-stop", "checkpoints", "checkpoint-steps",
                                         "workers",    "threads",     "warmup-steps"};

void put(std::map<std::string, torch::Tensor>& all, const std::string& prefix,
         const std::map<std::string, torch::Tensor>& some) {
  for (const auto& [name, tensor] : some) all.emplace(prefix + name, tensor);
}

std::map<std::string, torch::Tensor> with_prefix(const std::map<std::string, torch::Tensor>& all,
                                                 const std::string& prefix) {
  std::map<std::string, torch::Tensor> some;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) some.emplace(name.substr(prefix.size()), tensor);
  }
  return some;
}

/// The default generator, by a handle that can be written through.
at::Generator generator_of(torch::Device device) {
  return at::globalContext().defaultGenerator(device);
}

const torch::Tensor& find(const Checkpoint& checkpoint, const std::string& name,
                          const std::filesystem::path& path) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) throw InputError(path, name, "is missing");
  return found->second;
}

/// Whether another path leads to the weights that the run began with.
bool names_same_weights(const TrainConfig& config, const Checkpoint& checkpoint) {
  return std::filesystem::is_regular_file(config.weights) &&
         weights_digest(config) == weights_digest(checkpoint);
}

void warn_of_changes(const TrainConfig& config, const TrainConfig& before) {
  for (const std::string_view name : {"epochs", "steps", "threads"}) {
    const std::string then = option_toml(before, name);
    const std::string now = option_toml(config, name);
    if (then == now) continue;
    const bool bends_rates = config.schedule.kind != ScheduleKind::constant && name != "threads";
    spdlog::warn(
        "--{} was {} before, and is {} from here on{}", name, then, now,
        bends_rates ? ": so far the learning rate followed the schedule of the old length" : "");
  }
}

}  // namespace

Checkpoint Trainer::checkpoint() const {
  State& s = *state_;
  Checkpoint saved;
  saved.tensors = nn::state_of(*s.model);
  put(saved.tensors, "optimizer/", s.optimizer->state());
  if (s.ema) put(saved.tensors, "ema/", s.ema->state());
  saved.tensors["rng/cpu"] = generator_of(torch::kCPU).get_state();
  if (s.device.is_cuda()) saved.tensors["rng/cuda"] = generator_of(s.device).get_state();
  // The live tensors go on changing: what is handed out does not, and takes no memory of a GPU.
  for (auto& [name, tensor] : saved.tensors) {
    tensor = tensor.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
  }

  const nn::ModelOptions model =
      model_options(s.config, s.set.channels, static_cast<int>(s.set.classes.size()));
  saved.state = {{"model",
                  {{"name", model.name},
                   {"in_channels", model.in_channels},
                   {"outputs", model.outputs},
                   {"activation", model.activation},
                   {"squeeze_excite", model.squeeze_excite},
                   {"origin", nn::origin_of(*s.model)}}},
                 {"dataset", s.set.dataset},
                 {"data_key", s.set.key},
                 {"classes", s.set.classes},
                 {"height", s.set.height},
                 {"width", s.set.width},
                 {"mean", s.loading.normalization.mean},
                 {"deviation", s.loading.normalization.stddev},
                 {"options", options_to_json(s.config)},
                 {"weights_digest", s.weights_digest},
                 {"steps_done", s.steps_done},
                 {"epochs_done", s.epochs_done},
                 {"scaler", s.scaler.state()},
                 {"skipped_in_a_row", s.skipped_in_a_row},
                 {"epoch",
                  {{"steps", s.epoch.stats.steps},
                   {"images", s.epoch.stats.images},
                   {"positives", s.epoch.stats.positives.value_or(0)},
                   {"loss_sum", s.sums.loss_sum()},
                   {"right", s.sums.right()},
                   {"skipped", s.scaler.skipped_steps() - s.epoch.skipped_before},
                   {"lr", s.epoch.lr},
                   {"time_s", s.epoch.stats.time_s},
                   {"data_wait_s", s.epoch.stats.data_wait_s},
                   {"step_s", s.epoch.stats.step_s}}}};
  return saved;
}

void require_same_options(const TrainConfig& config, const Checkpoint& checkpoint,
                          const std::filesystem::path& path) {
  try {
    const TrainConfig before = options_from_json(checkpoint.state.at("options"), path);
    visit_options(config, [&](const std::string& name, const auto& value, const char*) {
      const std::string now = toml_text(value);
      const std::string then = option_toml(before, name);
      if (then == now || free_options.contains(name)) return;
      if (name == "weights" && names_same_weights(config, checkpoint)) return;
      throw InputError(path, name,
                       fmt::format("was {} in the run that saved this, and is {} now", then, now));
    });
  } catch (const nlohmann::json::exception& error) {
    throw InputError(path, "mpbench_state", error.what());
  }
}

std::string weights_digest(const Checkpoint& checkpoint) {
  return checkpoint.state.value("weights_digest", std::string());
}

void Trainer::require_same_run(const Checkpoint& checkpoint,
                               const std::filesystem::path& path) const {
  const State& s = *state_;
  require_same_options(s.config, checkpoint, path);
  try {
    if (checkpoint.state.at("data_key") != s.set.key) {
      throw InputError(path, "data_key", "the images are not those that the run was trained on");
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError(path, "mpbench_state", error.what());
  }
  for (const auto& [name, tensor] : nn::state_of(*s.model)) {
    if (find(checkpoint, name, path).sizes() != tensor.sizes())
      throw InputError(path, name, "has another shape");
  }
}

void Trainer::restore(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  State& s = *state_;
  const torch::NoGradGuard no_grad;
  try {
    require_same_run(checkpoint, path);
    const nlohmann::json& state = checkpoint.state;
    warn_of_changes(s.config, options_from_json(state.at("options"), path));
    s.weights_digest = weights_digest(checkpoint);
    for (auto& [name, tensor] : nn::state_of(*s.model)) tensor.copy_(checkpoint.tensors.at(name));
    nn::set_origin(*s.model, state.at("model").value("origin", nn::ModelOptions().origin));
    s.optimizer->load_state(with_prefix(checkpoint.tensors, "optimizer/"));
    if (s.ema) s.ema->load_state(with_prefix(checkpoint.tensors, "ema/"));
    s.scaler.load_state(state.at("scaler"));
    s.steps_done = state.at("steps_done");
    s.epochs_done = state.at("epochs_done");
    s.skipped_in_a_row = state.at("skipped_in_a_row");
    s.clear_epoch();
    const nlohmann::json& epoch = state.at("epoch");
    s.epoch.stats.steps = epoch.at("steps");
    s.epoch.stats.images = epoch.at("images");
    if (s.criterion.task == Task::binary) {
      s.epoch.stats.positives = epoch.value("positives", std::int64_t{0});
    }
    s.epoch.loss_seen = epoch.at("loss_sum").get<double>();
    s.sums.set(s.epoch.loss_seen, epoch.at("right").get<std::int64_t>());
    s.epoch.skipped_before -= epoch.at("skipped").get<std::int64_t>();
    s.epoch.lr = epoch.at("lr");
    s.epoch.stats.time_s = epoch.at("time_s");
    s.epoch.stats.data_wait_s = epoch.at("data_wait_s");
    s.epoch.stats.step_s = epoch.at("step_s").get<std::vector<double>>();
    generator_of(torch::kCPU).set_state(find(checkpoint, "rng/cpu", path));
    if (s.device.is_cuda()) generator_of(s.device).set_state(find(checkpoint, "rng/cuda", path));
  } catch (const nlohmann::json::exception& error) {
    throw InputError(path, "mpbench_state", error.what());
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    throw InputError(path, "state", error.what());
  }
}

}  // namespace mpbench::train
