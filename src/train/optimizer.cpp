#include "optimizer.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/device/step_range.hpp"
#include "named_tensors.hpp"

namespace mpbench::train {
namespace {

/// The parameters that one call of a fused kernel may take together, and what it takes beside them.
struct KernelArguments {
  std::vector<std::size_t> indices;  ///< of the parameters, in Optimizer::parameters()
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
  at::Tensor lr;  ///< defined with OptimizerOptions::tensor_lr
  std::optional<at::Tensor> grad_scale;
  std::optional<at::Tensor> found_inf;

  /// The members of `all` (one for each parameter of the optimizer) that belong to this call.
  std::vector<at::Tensor> select(const std::vector<at::Tensor>& all) const {
    std::vector<at::Tensor> selected;
    selected.reserve(indices.size());
    for (const std::size_t index : indices) {
      selected.push_back(all[index]);
    }
    return selected;
  }
};

/// Whether both are laid out alike in memory: the step along a dimension of size 1 is never taken,
/// and [C, 1, k, k] of a depthwise convolution has one stride or another there.
bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return false;
  for (std::int64_t i = 0; i < a.dim(); ++i) {
    if (a.size(i) != 1 && a.stride(i) != b.stride(i)) return false;
  }
  return true;
}

/// The gradient as the fused kernels need it: they walk parameter, gradient and state by one linear
/// index, so all must have the same dtype and layout.
at::Tensor matching_gradient(const at::Tensor& parameter, std::size_t index) {
  const at::Tensor& gradient = parameter.grad();
  if (gradient.is_sparse()) {
    throw Error(fmt::format("optimizer: parameter {} has a sparse gradient", index));
  }
  if (gradient.scalar_type() != parameter.scalar_type()) {
    throw Error(fmt::format("optimizer: parameter {} is {} and its gradient {}", index,
                            c10::toString(parameter.scalar_type()),
                            c10::toString(gradient.scalar_type())));
  }
  if (same_layout(gradient, parameter)) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

class FusedOptimizer : public Optimizer {
 public:
  FusedOptimizer(std::vector<at::Tensor> params, const OptimizerOptions& options)
      : options_(options), params_(std::move(params)) {
    for (std::size_t i = 0; i < params_.size(); ++i) {
      group_of(params_[i]).indices.push_back(i);
    }
  }

  const std::vector<at::Tensor>& parameters() override { return params_; }
  bool supports_amp_scaling() const override { return options_.fused; }

  void zero_grad() override {
    for (const at::Tensor& parameter : params_) {
      parameter.mutable_grad().reset();
    }
  }

  double lr() const override { return options_.lr; }

  void set_lr(double lr) override {
    if (!std::isfinite(lr) || lr < 0.0) {
      throw UsageError(fmt::format("learning rate {}: must be a number >= 0", lr));
    }
    if (lr == options_.lr) return;  // a schedule sets it each step, most often to what it was
    options_.lr = lr;
    for (const Group& group : groups_) {
      if (group.lr.defined()) {
        group.lr.fill_(lr);
      }
    }
  }

  void step(const amp::AmpScaling* scaling) override {
    const at::NoGradGuard no_grad;
    const device::StepRange range(device::StepPart::optimizer);
    for (const Group& group : groups_) {
      KernelArguments arguments = gather(group);
      if (arguments.indices.empty()) {
        continue;
      }
      if (scaling != nullptr) {
        const at::Device device = arguments.parameters.front().device();
        if (scaling->grad_scale.defined()) {
          arguments.grad_scale = scaling->grad_scale.to(device, /*non_blocking=*/true);
        }
        if (scaling->found_inf.defined()) {
          arguments.found_inf = scaling->found_inf.to(device, /*non_blocking=*/true);
        }
      }
      apply(arguments);
    }
  }

  std::map<std::string, at::Tensor> state() const override {
    std::map<std::string, at::Tensor> named;
    for (const auto& [name, tensors] : state_tensors()) {
      for (std::size_t i = 0; i < tensors->size(); ++i) {
        named.emplace(fmt::format("{}.{}", name, i), (*tensors)[i]);
      }
    }
    return named;
  }

  void load_state(const std::map<std::string, at::Tensor>& loaded) override {
    copy_named_tensors("optimizer", loaded, state());
  }

 protected:
  using StateLists = std::vector<std::pair<std::string, const std::vector<at::Tensor>*>>;

  /// One kernel call.
  virtual void apply(const KernelArguments& arguments) = 0;
  /// What belongs in a checkpoint: lists with one tensor for each parameter.
  virtual StateLists state_tensors() const = 0;

  /// Zeros beside each parameter, with its strides.
  std::vector<at::Tensor> zeros_like_parameters() const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> zeros;
    zeros.reserve(params_.size());
    for (const at::Tensor& parameter : params_) {
      zeros.push_back(at::zeros_like(parameter).detach());
    }
    return zeros;
  }

  OptimizerOptions options_;
  std::vector<at::Tensor> params_;

 private:
  struct Group {
    at::Device device;
    at::ScalarType dtype;
    at::Tensor lr;
    std::vector<std::size_t> indices;
  };

  Group& group_of(const at::Tensor& parameter) {
    for (Group& group : groups_) {
      if (group.device == parameter.device() && group.dtype == parameter.scalar_type()) {
        return group;
      }
    }
    Group group{parameter.device(), parameter.scalar_type(), {}, {}};
    if (options_.tensor_lr) {
      group.lr = at::full({}, options_.lr, at::TensorOptions(group.device).dtype(at::kFloat));
    }
    return groups_.emplace_back(std::move(group));
  }

  KernelArguments gather(const Group& group) const {
    KernelArguments arguments;
    arguments.lr = group.lr;
    for (const std::size_t index : group.indices) {
      if (params_[index].grad().defined()) {
        arguments.indices.push_back(index);
        arguments.parameters.push_back(params_[index]);
        arguments.gradients.push_back(matching_gradient(params_[index], index));
      }
    }
    return arguments;
  }

  std::vector<Group> groups_;
};

/// Adam (Kingma & Ba, 2015) and AdamW (Loshchilov & Hutter, 2019), without amsgrad.
class Adam final : public FusedOptimizer {
 public:
  Adam(std::vector<at::Tensor> params, const OptimizerOptions& options, bool decoupled_weight_decay)
      : FusedOptimizer(std::move(params), options),
        decoupled_weight_decay_(decoupled_weight_decay),
        exp_avgs_(zeros_like_parameters()),
        exp_avg_sqs_(zeros_like_parameters()) {
    for (const at::Tensor& parameter : params_) {
      steps_.push_back(at::zeros({}, at::TensorOptions(parameter.device()).dtype(at::kFloat)));
    }
  }

 private:
  void apply(const KernelArguments& arguments) override {
    const std::vector<at::Tensor> steps = arguments.select(steps_);
    at::_foreach_add_(steps, 1);
    if (arguments.lr.defined()) {
      call(arguments, steps, arguments.lr);
    } else {
      call(arguments, steps, options_.lr);
    }
    if (arguments.found_inf) {
      // A skipped step does not count for the bias correction.
      at::_foreach_sub_(steps, std::vector<at::Tensor>(steps.size(), *arguments.found_inf));
    }
  }

  template <typename LearningRate>
  void call(const KernelArguments& arguments, const std::vector<at::Tensor>& steps,
            const LearningRate& lr) {
    const std::vector<at::Tensor> exp_avgs = arguments.select(exp_avgs_);
    const std::vector<at::Tensor> exp_avg_sqs = arguments.select(exp_avg_sqs_);
    if (decoupled_weight_decay_) {
      at::_fused_adamw_(arguments.parameters, arguments.gradients, exp_avgs, exp_avg_sqs,
                        /*max_exp_avg_sqs=*/{}, steps, lr, options_.beta1, options_.beta2,
                        options_.weight_decay, options_.eps, /*amsgrad=*/false,
                        /*maximize=*/false, arguments.grad_scale, arguments.found_inf);
    } else {
      at::_fused_adam_(arguments.parameters, arguments.gradients, exp_avgs, exp_avg_sqs,
                       /*max_exp_avg_sqs=*/{}, steps, lr, options_.beta1, options_.beta2,
                       options_.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false,
                       arguments.grad_scale, arguments.found_inf);
    }
  }

  StateLists state_tensors() const override {
    return {{"exp_avg", &exp_avgs_}, {"exp_avg_sq", &exp_avg_sqs_}, {"step", &steps_}};
  }

  bool decoupled_weight_decay_;
  std::vector<at::Tensor> exp_avgs_;
  std::vector<at::Tensor> exp_avg_sqs_;
  std::vector<at::Tensor> steps_;
};

/// Stochastic gradient descent with (Nesterov) momentum and no dampening.
class Sgd final : public FusedOptimizer {
 public:
  Sgd(std::vector<at::Tensor> params, const OptimizerOptions& options)
      : FusedOptimizer(std::move(params), options) {
    if (options_.momentum != 0.0) {
      momentum_buffers_ = zeros_like_parameters();
    }
  }

 private:
  void apply(const KernelArguments& arguments) override {
    if (arguments.lr.defined()) {
      call(arguments, arguments.lr);
    } else {
      call(arguments, options_.lr);
    }
  }

  template <typename LearningRate>
  void call(const KernelArguments& arguments, const LearningRate& lr) {
    std::vector<at::Tensor> buffers;
    if (!momentum_buffers_.empty()) {
      buffers = arguments.select(momentum_buffers_);
    }
    // is_first_step would have the kernel fill an uninitialised buffer, which it leaves as it is
    // when found_inf skips that step. From zeros, with no dampening, the first step comes out the
    // same.
    at::_fused_sgd_(arguments.parameters, arguments.gradients, buffers, options_.weight_decay,
                    options_.momentum, lr, /*dampening=*/0.0, options_.nesterov,
                    /*maximize=*/false, /*is_first_step=*/false, arguments.grad_scale,
                    arguments.found_inf);
  }

  StateLists state_tensors() const override { return {{"momentum_buffer", &momentum_buffers_}}; }

  std::vector<at::Tensor> momentum_buffers_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(std::vector<at::Tensor> params,
                                          const OptimizerOptions& options) {
  validate(options);
  if (params.empty()) {
    throw UsageError("optimizer: there are no parameters to train");
  }
  for (const at::Tensor& parameter : params) {
    if (!parameter.defined() || !parameter.is_floating_point()) {
      throw UsageError("optimizer: parameters must be floating-point tensors");
    }
  }
  switch (options.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return std::make_unique<Adam>(std::move(params), options,
                                    options.kind == OptimizerKind::adamw);
    case OptimizerKind::sgd:
      return std::make_unique<Sgd>(std::move(params), options);
  }
  throw Error("optimizer: not one of OptimizerKind");
}

}  // namespace mpbench::train
