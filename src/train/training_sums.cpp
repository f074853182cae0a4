#include "training_sums.hpp"

#include "step.hpp"

namespace mpbench::train {

TrainingSums::TrainingSums(Task task, torch::Device device)
    : task_(task),
      loss_sum_(torch::zeros({}, torch::dtype(torch::kFloat64).device(device))),
      right_(torch::zeros({}, torch::dtype(torch::kInt64).device(device))) {}

torch::Tensor TrainingSums::count_right(const torch::Tensor& logits,
                                        const torch::Tensor& labels) const {
  return (predicted_class(task_, logits) == labels).sum();
}

void TrainingSums::add(const StepResult& step, std::span<const data::Batch> batches) {
  losses_.push_back(step.loss);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    logits_.push_back(step.logits[i]);
    labels_.push_back(batches[i].labels);
  }
}

void TrainingSums::add_at_once(const StepResult& step, std::span<const data::Batch> batches) {
  loss_sum_ += step.loss;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    right_ += count_right(step.logits[i], batches[i].labels);
  }
}

void TrainingSums::settle() {
  if (losses_.empty()) return;
  loss_sum_ += losses_.size() == 1 ? losses_.front() : torch::stack(losses_).sum(torch::kFloat64);
  right_ += logits_.size() == 1 ? count_right(logits_.front(), labels_.front())
                                : count_right(torch::cat(logits_), torch::cat(labels_));
  losses_.clear();
  logits_.clear();
  labels_.clear();
}

void TrainingSums::set(double loss_sum, std::int64_t right) {
  losses_.clear();
  logits_.clear();
  labels_.clear();
  loss_sum_.fill_(loss_sum);
  right_.fill_(right);
}

double TrainingSums::loss_sum() {
  settle();
  return loss_sum_.item<double>();
}

std::int64_t TrainingSums::right() {
  settle();
  return right_.item<std::int64_t>();
}

}  // namespace mpbench::train
