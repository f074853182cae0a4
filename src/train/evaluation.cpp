#include "mpbench/train/evaluation.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/step.hpp"

namespace mpbench::train {

void for_each_logits(nn::ImageClassifier& model, data::Loader& loader, Precision precision,
                     std::int64_t total, const std::string& label, const ProgressFunction& progress,
                     const LogitsFunction& use) {
  const torch::InferenceMode inference;
  model.eval();
  std::int64_t done = 0;
  const Stopwatch clock;
  loader.start_epoch(0);
  while (const auto batch = loader.next()) {
    throw_if_interrupted();
    use(*batch, forward(model, batch->images, precision));
    done += batch->labels.size(0);
    if (progress) {
      progress({.label = label,
                .done = done,
                .total = total,
                .units_per_s = static_cast<double>(done) / clock.seconds(),
                .unit = "images",
                .detail = {}});
    }
  }
}

ValidationResult evaluate(nn::ImageClassifier& model, data::Loader& loader, const Loss& criterion,
                          Precision precision, const data::ImageSet& set,
                          const ProgressFunction& progress) {
  ValidationResult result;
  double loss_sum = 0;
  std::vector<int> predicted;
  std::vector<int> labels;
  std::vector<double> scores;
  const auto use = [&](const data::Batch& batch, const torch::Tensor& logits) {
    const auto count = batch.labels.size(0);
    loss_sum += criterion(logits, batch.labels).item<double>() * static_cast<double>(count);
    torch::Tensor score = probabilities(criterion.task, logits);
    if (criterion.task == Task::multiclass)
      score = score.gather(1, batch.labels.unsqueeze(1)).squeeze(1);
    score = score.to(torch::kCPU, torch::kFloat64).contiguous();
    const torch::Tensor chosen =
        predicted_class(criterion.task, logits).to(torch::kCPU, torch::kInt64).contiguous();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = batch.indices[static_cast<std::size_t>(i)];
      result.predictions.push_back(
          {.index = index,
           .score = score.const_data_ptr<double>()[i],
           .predicted = static_cast<int>(chosen.const_data_ptr<std::int64_t>()[i])});
      scores.push_back(result.predictions.back().score);
      predicted.push_back(result.predictions.back().predicted);
      labels.push_back(set.samples[static_cast<std::size_t>(index)].label);
    }
  };
  for_each_logits(model, loader, precision, loader.images_per_epoch(), "validation", progress, use);
  result.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, labels.size()));
  result.accuracy = accuracy(predicted, labels);
  if (criterion.task == Task::binary) {
    if (const double area = auc(scores, labels); std::isfinite(area)) result.auc = area;
    if (const double pf1 = probabilistic_f1(scores, labels); std::isfinite(pf1)) result.pf1 = pf1;
  }
  return result;
}

}  // namespace mpbench::train
