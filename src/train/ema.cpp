#include "ema.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "named_tensors.hpp"

namespace mpbench::train {
namespace {

struct Lists {
  std::vector<at::Tensor> averages;
  std::vector<at::Tensor> live;
};

}  // namespace

Ema::Ema(const torch::nn::Module& model, double decay)
    : decay_(decay), n_averaged_(at::zeros({}, at::kLong)) {
  if (!(decay >= 0 && decay < 1)) {
    throw UsageError(fmt::format("--ema-decay {}: must be 0 or more, and below 1", decay));
  }
  const auto add = [this](const auto& named) {
    const at::Tensor& live = named.value();
    pairs_.push_back({.name = named.key(), .live = live, .average = live.detach().clone()});
  };
  for (const auto& named : model.named_parameters()) add(named);
  for (const auto& named : model.named_buffers()) add(named);
}

void Ema::update() {
  if (in_model_) throw Error("ema: update() while the averages are in the model");
  const at::NoGradGuard no_grad;
  const bool first = n_averaged_.item<std::int64_t>() == 0;
  n_averaged_ += 1;
  Lists copied;
  Lists averaged;
  for (const Pair& pair : pairs_) {
    Lists& lists = first || !pair.average.is_floating_point() ? copied : averaged;
    lists.averages.push_back(pair.average);
    lists.live.push_back(pair.live);
  }
  // A kernel or two for all of them, where one each would be dozens.
  if (!copied.averages.empty()) {
    at::_foreach_copy_(copied.averages, copied.live, /*non_blocking=*/true);
  }
  if (!averaged.averages.empty()) {
    at::_foreach_lerp_(averaged.averages, averaged.live, 1 - decay_);
  }
}

std::map<std::string, at::Tensor> Ema::state() const {
  std::map<std::string, at::Tensor> named{{"n_averaged", n_averaged_}};
  for (const Pair& pair : pairs_) named.emplace("module." + pair.name, pair.average);
  return named;
}

void Ema::load_state(const std::map<std::string, at::Tensor>& state) {
  const auto updates = state.find("n_averaged");
  if (updates != state.end() && updates->second.numel() == 1 &&
      updates->second.item<double>() < 0) {
    throw Error("ema state: n_averaged is below 0");
  }
  copy_named_tensors("ema", state, this->state());
}

EmaWeightsGuard::EmaWeightsGuard(Ema& ema) : ema_(ema) {
  if (ema.in_model_) throw Error("ema: the averages are in the model already");
  trained_.reserve(ema.pairs_.size());
  try {
    for (const Ema::Pair& pair : ema.pairs_) {
      const at::Tensor trained = pair.live.variable_data();
      pair.live.set_data(pair.average);
      trained_.push_back(trained);
    }
  } catch (...) {
    restore();
    throw;
  }
  ema.in_model_ = true;
}

EmaWeightsGuard::~EmaWeightsGuard() {
  restore();
  ema_.in_model_ = false;
}

void EmaWeightsGuard::restore() {
  // Backwards: a tensor that the model holds under two names was exchanged twice.
  for (std::size_t i = trained_.size(); i-- > 0;) ema_.pairs_[i].live.set_data(trained_[i]);
}

}  // namespace mpbench::train
