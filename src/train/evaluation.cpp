#include "mpbench/train/evaluation.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/train/errors.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/step.hpp"
#include "mpbench/train/unit_scores.hpp"

namespace mpbench::train {
namespace {

std::optional<double> if_finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

/// Scores and labels of what is judged: images, or breasts.
struct Judged {
  std::vector<double> logits;
  std::vector<double> scores;
  std::vector<int> labels;

  void add(const UnitScore& unit) {
    logits.push_back(unit.logit);
    scores.push_back(unit.score);
    labels.push_back(unit.label);
  }
  std::optional<double> area() const { return if_finite(auc(logits, labels)); }
  /// Like the area it says nothing of labels that are all the same.
  std::optional<double> pf1() const {
    return area() ? if_finite(probabilistic_f1(scores, labels)) : std::nullopt;
  }
};

void judge_binary(ValidationResult& result, const data::ImageSet& set) {
  std::vector<ImageScore> images;
  Judged judged;
  for (const Prediction& prediction : result.predictions) {
    const data::Sample& sample = set.samples[static_cast<std::size_t>(prediction.index)];
    images.push_back({.unit = sample.unit,
                      .group = sample.group,
                      .label = sample.label,
                      .score = prediction.score,
                      .logit = prediction.logit});
    judged.add({.label = sample.label, .score = prediction.score, .logit = *prediction.logit});
  }
  result.auc = judged.area();
  result.pf1 = judged.pf1();
  const std::vector<UnitScore> units = unit_scores(images);
  if (units.size() < images.size()) {
    judged = {};
    for (const UnitScore& unit : units) judged.add(unit);
    result.unit_auc = judged.area();
    result.unit_pf1 = judged.pf1();
  }
  const BestThreshold best = best_f1_threshold(judged.scores, judged.labels);
  if (std::isfinite(best.threshold)) result.best_threshold = best;
}

}  // namespace

std::optional<std::string> first_image_not_finite(const torch::Tensor& logits,
                                                  const data::Batch& batch,
                                                  const data::ImageSet& set) {
  const torch::Tensor bad = logits.isfinite().all(1).logical_not();
  if (!bad.any().item<bool>()) return std::nullopt;
  const auto row = bad.to(torch::kInt32).argmax().item<std::int64_t>();
  const auto index = static_cast<std::size_t>(batch.indices[static_cast<std::size_t>(row)]);
  return set.samples[index].id;
}

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
  const bool binary = criterion.task == Task::binary;
  const auto use = [&](const data::Batch& batch, const torch::Tensor& logits) {
    if (const auto image = first_image_not_finite(logits, batch, set)) {
      throw Diverged(fmt::format("the network's output for image {} is not finite", *image));
    }
    const auto count = batch.labels.size(0);
    loss_sum += criterion(logits, batch.labels).item<double>() * static_cast<double>(count);
    torch::Tensor score = probabilities(criterion.task, logits);
    if (!binary) score = score.gather(1, batch.labels.unsqueeze(1)).squeeze(1);
    score = score.to(torch::kCPU, torch::kFloat64).contiguous();
    const torch::Tensor exact = logits.to(torch::kCPU, torch::kFloat64).contiguous();
    const torch::Tensor chosen =
        predicted_class(criterion.task, logits).to(torch::kCPU, torch::kInt64).contiguous();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = batch.indices[static_cast<std::size_t>(i)];
      Prediction& prediction = result.predictions.emplace_back();
      prediction.index = index;
      prediction.score = score.const_data_ptr<double>()[i];
      if (binary) prediction.logit = exact.const_data_ptr<double>()[i];
      prediction.predicted = static_cast<int>(chosen.const_data_ptr<std::int64_t>()[i]);
      predicted.push_back(result.predictions.back().predicted);
      labels.push_back(set.samples[static_cast<std::size_t>(index)].label);
    }
  };
  for_each_logits(model, loader, precision, loader.images_per_epoch(), "validation", progress, use);
  result.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, labels.size()));
  if (!std::isfinite(result.loss)) throw Diverged("the validation's loss is not finite");
  result.accuracy = accuracy(predicted, labels);
  result.confusion = confusion_matrix(predicted, labels, static_cast<int>(set.classes.size()));
  if (binary) judge_binary(result, set);
  return result;
}

}  // namespace mpbench::train
