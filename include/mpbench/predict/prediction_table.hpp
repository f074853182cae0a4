#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "mpbench/predict/predictor.hpp"
#include "mpbench/stats/case_aggregation.hpp"

namespace mpbench::predict {

/// The probability of cancer for each breast, out of those of its images.
std::vector<stats::CaseScore> breast_scores(const Predictions& predictions,
                                            const data::ImageDataset& set,
                                            stats::CaseAggregation scoring);

/// CSV as the challenge wants it: `prediction_id,cancer`, one row a breast.
std::string breast_table(const Predictions& predictions, const data::ImageDataset& set,
                         stats::CaseAggregation scoring);
/// `image_id,cancer`, one row an image.
std::string mammogram_table(const Predictions& predictions, const data::ImageDataset& set);
/// `image,predicted`, then a column of probabilities for each class; one row an image.
std::string class_table(const Predictions& predictions, const data::ImageDataset& set,
                        const std::vector<std::string>& classes);

/// How the predictions agree with the labels, a line each for images and breasts (where there are
/// any): "images: accuracy 0.9123, AUC 0.9511, pF1 0.4142".
std::vector<std::string> judge(const Predictions& predictions, const data::ImageDataset& set,
                               std::optional<stats::CaseAggregation> breasts);

}  // namespace mpbench::predict
