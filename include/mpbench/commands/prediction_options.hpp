#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/core/precision.hpp"
#include "mpbench/data/dataset_options.hpp"
#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/stats/case_aggregation.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::commands {

/// Which of a dataset's images are predicted.
enum class DatasetPart { all, train, validation, test };

/// What `mpbench predict` is told.
struct PredictionOptions {
  std::filesystem::path checkpoint;
  bool no_ema = false;
  std::string model;
  std::filesystem::path weights;
  std::string activation = "silu";
  std::vector<std::string> classes;
  int image_size = 0;
  train::NormalizationKind normalize = train::NormalizationKind::automatic;
  std::vector<float> mean;
  std::vector<float> stddev;
  data::DatasetOptions data;
  int pixel_bits = 8;
  std::filesystem::path split;
  std::optional<DatasetPart> part;  ///< nothing: validation with --split, else all
  std::string out = "-";
  std::optional<Precision> precision;                  ///< nothing: the checkpoint's
  std::optional<kernels::DepthwiseBackend> depthwise;  ///< nothing: the checkpoint's
  std::string device = "auto";
  int threads = 0;
  int workers = 1;
  int batch_size = 0;  ///< 0: the checkpoint's
  std::optional<bool> channels_last;
  bool per_image = false;
  std::optional<stats::CaseAggregation> aggregate;  ///< nothing: mean
};

/// Throws UsageError where no network is named, or one that does not exist, for images that it
/// cannot take, and for a word that is no device.
void validate(const PredictionOptions& options);

}  // namespace mpbench::commands

template <>
inline constexpr auto mpbench::enum_names<mpbench::commands::DatasetPart> =
    std::to_array<mpbench::EnumName<mpbench::commands::DatasetPart>>(
        {{mpbench::commands::DatasetPart::all, "all"},
         {mpbench::commands::DatasetPart::train, "train"},
         {mpbench::commands::DatasetPart::validation, "validation"},
         {mpbench::commands::DatasetPart::test, "test"}});
