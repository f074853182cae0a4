#include "mpbench/predict/prediction_table.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>

#include "mpbench/data/dataset.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::predict {
namespace {

constexpr std::int64_t positive_class = 1;

const data::Sample& sample_of(const Predictions& predictions, const data::ImageDataset& set,
                              std::size_t row) {
  return set.samples[static_cast<std::size_t>(predictions.indices[row])];
}

/// The shortest decimal that reads back as the same number.
std::string cell(double probability) { return fmt::format("{}", probability); }

struct ScoredCases {
  std::vector<double> scores;  // of the positive class; two classes only
  std::vector<double> logits;  // their log-odds, which do not round to 1
  std::vector<int> labels;
  std::vector<int> predicted;
};

std::string describe(const char* what, const ScoredCases& judged) {
  std::string text =
      fmt::format("{}: accuracy {:.4f}", what, stats::accuracy(judged.predicted, judged.labels));
  if (judged.scores.empty()) return text;
  // Neither is defined without a positive and a negative.
  const double area = stats::auc(judged.logits, judged.labels);
  if (!std::isfinite(area)) return text + "; they are all of one class: no AUC, no pF1";
  return text + fmt::format(", AUC {:.4f}, pF1 {:.4f}", area,
                            stats::probabilistic_f1(judged.scores, judged.labels));
}

}  // namespace

std::vector<stats::CaseScore> breast_scores(const Predictions& predictions,
                                            const data::ImageDataset& set,
                                            stats::CaseAggregation scoring) {
  std::vector<stats::ImageScore> images;
  for (std::size_t row = 0; row < predictions.indices.size(); ++row) {
    const auto& sample = sample_of(predictions, set, row);
    images.push_back({.case_id = sample.case_id,
                      .group = sample.group,
                      .label = sample.label,
                      .score = predictions.at(static_cast<std::int64_t>(row), positive_class),
                      .logit = predictions.logits[row]});
  }
  return stats::aggregate_cases(images, scoring);
}

std::string breast_table(const Predictions& predictions, const data::ImageDataset& set,
                         stats::CaseAggregation scoring) {
  std::string text = csv::line({"prediction_id", "cancer"});
  for (const auto& breast : breast_scores(predictions, set, scoring)) {
    text += csv::line({sample_of(predictions, set, breast.first).case_id, cell(breast.score)});
  }
  return text;
}

std::string mammogram_table(const Predictions& predictions, const data::ImageDataset& set) {
  std::string text = csv::line({"image_id", "cancer"});
  for (std::size_t row = 0; row < predictions.indices.size(); ++row) {
    text += csv::line({sample_of(predictions, set, row).id,
                       cell(predictions.at(static_cast<std::int64_t>(row), positive_class))});
  }
  return text;
}

std::string class_table(const Predictions& predictions, const data::ImageDataset& set,
                        const std::vector<std::string>& classes) {
  std::vector<std::string> cells{"image", "predicted"};
  cells.insert(cells.end(), classes.begin(), classes.end());
  std::string text = csv::line(cells);
  for (std::size_t row = 0; row < predictions.indices.size(); ++row) {
    cells = {sample_of(predictions, set, row).id,
             classes[static_cast<std::size_t>(predictions.predicted[row])]};
    for (std::size_t column = 0; column < classes.size(); ++column) {
      cells.push_back(
          cell(predictions.at(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column))));
    }
    text += csv::line(cells);
  }
  return text;
}

std::vector<std::string> judge(const Predictions& predictions, const data::ImageDataset& set,
                               std::optional<stats::CaseAggregation> breasts) {
  const bool binary = !predictions.logits.empty();
  ScoredCases images;
  images.predicted = predictions.predicted;
  for (std::size_t row = 0; row < predictions.indices.size(); ++row) {
    images.labels.push_back(sample_of(predictions, set, row).label);
    if (binary) {
      images.scores.push_back(predictions.at(static_cast<std::int64_t>(row), positive_class));
      images.logits.push_back(predictions.logits[row]);
    }
  }
  std::vector<std::string> lines{describe("images", images)};
  if (!breasts) return lines;
  ScoredCases units;
  for (const auto& breast : breast_scores(predictions, set, *breasts)) {
    units.scores.push_back(breast.score);
    units.logits.push_back(breast.logit);
    units.labels.push_back(breast.label);
    units.predicted.push_back(breast.score >= 0.5 ? 1 : 0);
  }
  lines.push_back(describe("breasts", units));
  return lines;
}

}  // namespace mpbench::predict
