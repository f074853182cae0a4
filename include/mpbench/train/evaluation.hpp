#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/core/precision.hpp"
#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/stats/metrics.hpp"
#include "mpbench/train/loss.hpp"

namespace mpbench::train {

/// Called with a batch's places in the ImageDataset, its logits [N, outputs] and its labels [N].
using LogitsFunction = std::function<void(const data::Batch& batch, const torch::Tensor& logits)>;

/// Runs the network over a loader's images, in evaluation mode and without gradients; leaves it in
/// evaluation mode. `total` images are told to `progress` under `label`. Throws Interrupted.
void for_each_logits(nn::ImageClassifier& model, data::Loader& loader, Precision precision,
                     std::int64_t total, const std::string& label, const ProgressFunction& progress,
                     const LogitsFunction& use);

/// The id of the first image of a batch whose logits [N, outputs] have a NaN or an infinity.
std::optional<std::string> first_image_not_finite(const torch::Tensor& logits,
                                                  const data::Batch& batch,
                                                  const data::ImageDataset& set);

/// What the network says of one validation image.
struct Prediction {
  std::int64_t index = 0;  ///< into ImageDataset::samples
  /// Probability of the positive class; of the true class when there are more than two.
  double score = 0;
  std::optional<double> logit{};  ///< log-odds of the positive class; two classes only
  int predicted = 0;
};

struct ValidationResult {
  double loss = 0;
  double accuracy = 0;
  std::optional<double> auc;  ///< binary sets with both classes in validation
  std::optional<double> pf1;  ///< likewise
  /// The same a breast (Sample::unit): the mean score of its images, their largest label. Binary
  /// sets whose units have more than one image.
  std::optional<double> case_auc;
  std::optional<double> case_pf1;
  /// Of units where there are, else of images; binary sets with a positive in validation.
  std::optional<stats::BestThreshold> best_threshold;
  stats::ConfusionMatrix confusion;  ///< of images
  std::vector<Prediction> predictions;
};

/// Judges the network on the images of a loader that goes through them once, in order. Throws
/// Diverged, naming the image, for an output that is not finite, and for such a loss.
ValidationResult evaluate(nn::ImageClassifier& model, data::Loader& loader, const Loss& criterion,
                          Precision precision, const data::ImageDataset& set,
                          const ProgressFunction& progress);

}  // namespace mpbench::train
