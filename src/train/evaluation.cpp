#include "mpbench/train/evaluation.hpp"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/step.hpp"
#include "mpbench/train/unit_scores.hpp"

namespace mpbench::train {
namespace {

std::optional<double> if_finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void judge_binary(ValidationResult& result, const data::ImageSet& set,
                  std::span<const double> scores, std::span<const int> labels) {
  result.auc = if_finite(auc(scores, labels));
  result.pf1 = if_finite(probabilistic_f1(scores, labels));
  BestThreshold best = best_f1_threshold(scores, labels);
  std::vector<ImageScore> images;
  for (const Prediction& prediction : result.predictions) {
    const data::Sample& sample = set.samples[static_cast<std::size_t>(prediction.index)];
    images.push_back({.unit = sample.unit,
                      .group = sample.group,
                      .label = sample.label,
                      .score = prediction.score});
  }
  const std::vector<UnitScore> units = unit_scores(images);
  if (units.size() < images.size()) {
    std::vector<double> unit_values;
    std::vector<int> unit_labels;
    for (const UnitScore& unit : units) {
      unit_values.push_back(unit.score);
      unit_labels.push_back(unit.label);
    }
    result.unit_auc = if_finite(auc(unit_values, unit_labels));
    result.unit_pf1 = if_finite(probabilistic_f1(unit_values, unit_labels));
    best = best_f1_threshold(unit_values, unit_labels);
  }
  if (std::isfinite(best.threshold)) result.best_threshold = best;
}

}  // namespace

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
  result.confusion = confusion_matrix(predicted, labels, static_cast<int>(set.classes.size()));
  if (criterion.task == Task::binary) judge_binary(result, set, scores, labels);
  return result;
}

}  // namespace mpbench::train
