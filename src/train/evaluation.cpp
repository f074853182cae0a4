#include "mpbench/train/evaluation.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/determinism.hpp"
#include "mpbench/stats/case_aggregation.hpp"
#include "mpbench/stats/metrics.hpp"
#include "mpbench/train/errors.hpp"
#include "step.hpp"

namespace mpbench::train {
namespace {

std::optional<double> if_finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

/// Scores and labels of what is judged: images, or breasts.
struct ScoredCases {
  std::vector<double> logits;
  std::vector<double> scores;
  std::vector<int> labels;

  void add(const stats::CaseScore& unit) {
    logits.push_back(unit.logit);
    scores.push_back(unit.score);
    labels.push_back(unit.label);
  }
  std::optional<double> area() const { return if_finite(stats::auc(logits, labels)); }
  /// Like the area it says nothing of labels that are all the same.
  std::optional<double> pf1() const {
    return area() ? if_finite(stats::probabilistic_f1(scores, labels)) : std::nullopt;
  }
};

void evaluate_binary(ValidationResult& result, const data::ImageDataset& set) {
  std::vector<stats::ImageScore> images;
  ScoredCases judged;
  for (const Prediction& prediction : result.predictions) {
    const data::Sample& sample = set.samples[static_cast<std::size_t>(prediction.index)];
    images.push_back({.case_id = sample.case_id,
                      .group = sample.group,
                      .label = sample.label,
                      .score = prediction.score,
                      .logit = prediction.logit});
    judged.add({.label = sample.label, .score = prediction.score, .logit = *prediction.logit});
  }
  result.auc = judged.area();
  result.pf1 = judged.pf1();
  const std::vector<stats::CaseScore> units = stats::aggregate_cases(images);
  if (units.size() < images.size()) {
    judged = {};
    for (const stats::CaseScore& unit : units) judged.add(unit);
    result.case_auc = judged.area();
    result.case_pf1 = judged.pf1();
  }
  const stats::BestThreshold best = stats::best_f1_threshold(judged.scores, judged.labels);
  if (std::isfinite(best.threshold)) result.best_threshold = best;
}

/// Of logits [N, outputs] on the CPU.
std::optional<std::int64_t> first_row_not_finite(const torch::Tensor& logits) {
  const torch::Tensor bad = logits.isfinite().all(1).logical_not();
  if (!bad.any().item<bool>()) return std::nullopt;
  return bad.to(torch::kInt32).argmax().item<std::int64_t>();
}

/// Gathers the network's outputs on the device and reads them from there once for many batches, as
/// each reading waits for the device. What they come to is computed on the CPU.
class Reader {
 public:
  Reader(const Loss& criterion, const data::ImageDataset& set, ValidationResult& result)
      : criterion_(criterion), set_(set), result_(result) {}

  void add(const data::Batch& batch, const torch::Tensor& logits) {
    logits_.push_back(logits);
    indices_.push_back(batch.indices);
    if (logits_.size() >= most_batches_) read();
  }

  /// Reads what is gathered into the result; throws Diverged naming the first image whose output is
  /// not finite.
  void read() {
    if (logits_.empty()) return;
    const torch::Tensor all = torch::cat(logits_).cpu();
    std::int64_t at = 0;
    for (const auto& indices : indices_) {
      const auto count = static_cast<std::int64_t>(indices.size());
      judge(all.narrow(0, at, count), indices);
      at += count;
    }
    logits_.clear();
    indices_.clear();
  }

  /// Of all images that were read.
  double mean_loss() const {
    return loss_sum_ / static_cast<double>(std::max<std::size_t>(1, result_.predictions.size()));
  }

 private:
  const data::Sample& sample(std::int64_t index) const {
    return set_.samples[static_cast<std::size_t>(index)];
  }

  /// One batch: its mean loss is what counts, as in training.
  void judge(const torch::Tensor& logits, const std::vector<std::int64_t>& indices) {
    if (const auto row = first_row_not_finite(logits)) {
      throw Diverged(fmt::format("the network's output for image {} is not finite",
                                 sample(indices[static_cast<std::size_t>(*row)]).id));
    }
    std::vector<std::int64_t> true_classes;
    for (const std::int64_t index : indices) true_classes.push_back(sample(index).label);
    const torch::Tensor labels = torch::tensor(true_classes, torch::kInt64);
    loss_sum_ += criterion_(logits, labels).item<double>() * static_cast<double>(indices.size());
    const bool binary = criterion_.task == Task::binary;
    torch::Tensor score = probabilities(criterion_.task, logits);
    if (!binary) score = score.gather(1, labels.unsqueeze(1)).squeeze(1);
    score = score.to(torch::kFloat64).contiguous();
    const torch::Tensor exact = logits.to(torch::kFloat64).contiguous();
    const torch::Tensor chosen = predicted_class(criterion_.task, logits).contiguous();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      Prediction& prediction = result_.predictions.emplace_back();
      prediction.index = indices[i];
      prediction.score = score.const_data_ptr<double>()[i];
      if (binary) prediction.logit = exact.const_data_ptr<double>()[i];
      prediction.predicted = static_cast<int>(chosen.const_data_ptr<std::int64_t>()[i]);
    }
  }

  static constexpr std::size_t most_batches_ = 256;

  const Loss& criterion_;
  const data::ImageDataset& set_;
  ValidationResult& result_;
  double loss_sum_ = 0;
  std::vector<torch::Tensor> logits_;  ///< on the device, one a batch
  std::vector<std::vector<std::int64_t>> indices_;
};

}  // namespace

std::optional<std::string> first_image_not_finite(const torch::Tensor& logits,
                                                  const data::Batch& batch,
                                                  const data::ImageDataset& set) {
  const auto row = first_row_not_finite(logits.cpu());
  if (!row) return std::nullopt;
  const auto index = static_cast<std::size_t>(batch.indices[static_cast<std::size_t>(*row)]);
  return set.samples[index].id;
}

void for_each_logits(nn::ImageClassifier& model, data::Loader& loader, Precision precision,
                     std::int64_t total, const std::string& label, const ProgressFunction& progress,
                     const LogitsFunction& use) {
  // Not InferenceMode, in which autocast casts the weights anew for every batch.
  const torch::NoGradGuard no_grad;
  model.eval();
  // Off, and around all batches: the casts that forward()'s own guard makes are dropped where the
  // outermost one ends.
  const amp::AutocastGuard keeps_casts(loader.device().type(), torch::kBFloat16,
                                       /*enabled=*/false);
  // With EfficientNet-B0 on an H100 the search takes 10 s, for some passes over few shapes.
  const device::NoCudnnBenchmarkGuard no_search;
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
                          Precision precision, const data::ImageDataset& set,
                          const ProgressFunction& progress) {
  ValidationResult result;
  Reader reader(criterion, set, result);
  for_each_logits(
      model, loader, precision, loader.images_per_epoch(), "validation", progress,
      [&](const data::Batch& batch, const torch::Tensor& logits) { reader.add(batch, logits); });
  reader.read();
  result.loss = reader.mean_loss();
  if (!std::isfinite(result.loss)) throw Diverged("the validation's loss is not finite");
  std::vector<int> predicted;
  std::vector<int> labels;
  for (const Prediction& prediction : result.predictions) {
    predicted.push_back(prediction.predicted);
    labels.push_back(set.samples[static_cast<std::size_t>(prediction.index)].label);
  }
  result.accuracy = stats::accuracy(predicted, labels);
  result.confusion =
      stats::confusion_matrix(predicted, labels, static_cast<int>(set.classes.size()));
  if (criterion.task == Task::binary) evaluate_binary(result, set);
  return result;
}

}  // namespace mpbench::train
