#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>

#include "mpbench/data/dataset.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/predict/loaded_model.hpp"
#include "mpbench/predict/prediction_table.hpp"
#include "mpbench/predict/predictor.hpp"
#include "mpbench/train/checkpoint.hpp"
#include "mpbench/train/setup.hpp"
#include "progress_display.hpp"
#include "skipped_inputs.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// Where a link leads to: the file is replaced, not the link.
fs::path out_path(const std::string& out) {
  std::error_code ignored;
  return fs::is_symlink(out, ignored) ? fs::weakly_canonical(out) : fs::path(out);
}

/// A pipe or a device, which is written to and not replaced.
bool is_special(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
}

/// Before any work: what cannot be written then should be known now.
void check_out(const std::string& out) {
  if (out == "-") return;
  const fs::path path = out_path(out);
  if (fs::is_directory(path)) throw UsageError(fmt::format("--out {}: this is a folder", out));
  if (!is_special(path)) make_writable_folder(containing_folder(path));
}

void write_stream(std::FILE* stream, const std::string& name, const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  if (!written || std::fflush(stream) != 0) {
    throw Error(fmt::format("{}: cannot write: {}", name, std::strerror(errno)));
  }
}

void write_out(const std::string& out, const std::string& text) {
  if (out == "-") return write_stream(stdout, "standard output", text);
  const fs::path path = out_path(out);
  if (!is_special(path)) return write_file(path, text);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             &std::fclose);
  if (!file) throw Error(fmt::format("{}: cannot write: {}", out, std::strerror(errno)));
  write_stream(file.get(), out, text);
}

data::Normalization given_normalization(const PredictionOptions& options,
                                        const data::ImageDataset& set) {
  if (options.mean.empty() && options.stddev.empty()) {
    if (options.normalize == train::NormalizationKind::automatic && set.channels != 3) {
      throw UsageError(
          "--normalize: a weights file does not tell the mean and deviation of the grey images it "
          "was trained on: give --mean and --deviation (of values from 0 to 1), or choose "
          "imagenet, unit or none");
    }
    return train::make_normalization(options.normalize, set, {});
  }
  const auto fits = [&](const std::vector<float>& values) {
    return values.size() == 1 || values.size() == static_cast<std::size_t>(set.channels);
  };
  if (!fits(options.mean) || !fits(options.stddev)) {
    throw UsageError(fmt::format("--mean, --deviation: give one number each, or {}", set.channels));
  }
  return {.mean = options.mean, .stddev = options.stddev};
}

/// The network, and the images as it takes them.
struct Opened {
  predict::LoadedModel network;
  data::PredictionData data;
};

Opened open_checkpoint(const PredictionOptions& options, const ProgressFunction& progress) {
  Opened opened;
  opened.network = predict::load_model(train::read_checkpoint(options.checkpoint),
                                       options.checkpoint, !options.no_ema);
  spdlog::info("{}: {}", options.checkpoint.string(), opened.network.description);
  data::DatasetOptions data = options.data;
  data.height = opened.network.height;
  data.width = opened.network.width;
  data.channels = opened.network.options.in_channels;
  opened.data = data::open_for_prediction(data, progress);
  return opened;
}

Opened open_weights(const PredictionOptions& options, const ProgressFunction& progress) {
  const auto shape = predict::read_weights_shape(options.weights, options.model);
  // One output is the logit of the second of two classes.
  const int classes = shape.outputs == 1 ? 2 : shape.outputs;
  if (!options.classes.empty() && options.classes.size() != static_cast<std::size_t>(classes)) {
    throw UsageError(fmt::format("--classes: {} names for the network's {} classes",
                                 options.classes.size(), classes));
  }
  data::DatasetOptions data = options.data;
  data.height = data.width = options.image_size;
  data.channels = shape.channels;
  Opened opened;
  opened.data = data::open_for_prediction(data, progress);
  nn::require_image_size(options.model, opened.data.set.height, opened.data.set.width);
  opened.network =
      predict::load_weights_file(options.weights, {.name = options.model,
                                                   .in_channels = opened.data.set.channels,
                                                   .outputs = shape.outputs,
                                                   .activation = options.activation});
  spdlog::info("{}", opened.network.description);
  if (!options.classes.empty()) opened.network.classes = options.classes;
  opened.network.normalization = given_normalization(options, opened.data.set);
  return opened;
}

std::vector<std::int64_t> choose_images(const PredictionOptions& options,
                                        const data::ImageDataset& set) {
  std::vector<std::int64_t> all(set.samples.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  const DatasetPart part =
      options.part.value_or(options.split.empty() ? DatasetPart::all : DatasetPart::validation);
  if (part == DatasetPart::all) return all;
  if (options.split.empty() && !set.given_split) {
    throw UsageError(
        fmt::format("--part {}: dataset {} has no split of its own: name one with "
                    "--split",
                    enum_name(part), set.dataset));
  }
  const data::Split split = options.split.empty() ? *set.given_split
                                                  : data::read_split_csv(options.split, set.samples,
                                                                         options.data.limit > 0);
  if (part == DatasetPart::train) return split.train;
  if (part == DatasetPart::validation) return split.validation;
  if (split.test.empty()) {
    throw UsageError(fmt::format("--part test: {} has no test images",
                                 options.split.empty() ? set.dataset : options.split.string()));
  }
  return split.test;
}

void warn_of_failures(const data::PredictionData& data, const fs::path& path) {
  warn_of_skipped(data.left_out, data.quarantine, /*most_named=*/20);
  if (!data::has_cases(data.set)) return;
  if (!data.lost_cases.empty()) {
    spdlog::warn("no prediction for these breasts, as none of their images could be read: {}",
                 fmt::join(data.lost_cases, ", "));
  } else if (fs::is_regular_file(path)) {
    spdlog::warn("a breast all of whose images are among them has no prediction");
  }
}

std::string make_table(const PredictionOptions& options, const predict::Predictions& predictions,
                       const data::ImageDataset& set, const std::vector<std::string>& classes,
                       std::optional<stats::CaseAggregation> breasts) {
  if (!data::has_cases(set)) return predict::class_table(predictions, set, classes);
  return options.per_image ? predict::mammogram_table(predictions, set)
                           : predict::breast_table(predictions, set, *breasts);
}

}  // namespace

ExitCode run_predict(const PredictionOptions& asked, const SharedOptions& shared) {
  PredictionOptions options = asked;
  const auto device = device::parse_device(options.device);
  check_out(options.out);
  if (options.threads > 0) at::set_num_threads(options.threads);
  options.data.pixel_type = options.pixel_bits == 16 ? data::PixelType::u16 : data::PixelType::u8;
  const ProgressFunction progress = make_progress(shared);

  Opened opened = options.checkpoint.empty() ? open_weights(options, progress)
                                             : open_checkpoint(options, progress);
  auto& [network, data] = opened;
  const auto classes = predict::agree_on_classes(network, data.set, options.data.path);
  std::optional<stats::CaseAggregation> breasts;
  if (data::has_cases(data.set)) {
    breasts = options.aggregate.value_or(stats::CaseAggregation::mean);
  } else if (options.per_image || options.aggregate) {
    throw UsageError(
        fmt::format("--per-image, --aggregate: dataset {} has no breasts", data.set.dataset));
  }
  const predict::PredictOptions how{
      .precision = options.precision.value_or(network.precision),
      .device = device,
      .batch_size = options.batch_size > 0 ? options.batch_size : network.batch_size,
      .workers = options.workers,
      .channels_last = options.channels_last.value_or(network.channels_last),
      .deterministic = network.deterministic,
      .depthwise = options.depthwise.value_or(network.depthwise),
      .emulation = network.emulation};
  if (const auto warning = device::precision_warning(how.precision, device); !warning.empty()) {
    spdlog::warn("{}", warning);
  }
  const predict::Predictions predictions =
      predict::predict(network, data.set, choose_images(options, data.set), how, progress);
  write_out(options.out, make_table(options, predictions, data.set, classes, breasts));

  const auto count = predictions.indices.size();
  std::string what = fmt::format("{} images", count);
  if (breasts)
    what += fmt::format(" of {} breasts",
                        predict::breast_scores(predictions, data.set, *breasts).size());
  spdlog::info("{} on {}: {} in {:.2f} s ({:.1f} images/s){}", to_string(how.precision),
               device.str(), what, predictions.time_s,
               static_cast<double>(count) / predictions.time_s,
               options.out == "-" ? "" : fmt::format("; {}", options.out));
  if (data::is_labelled(data.set)) {
    for (const auto& line : predict::judge(predictions, data.set, breasts))
      spdlog::info("{}", line);
  }
  if (data.left_out.empty()) return ExitCode::done;
  warn_of_failures(data, options.data.path);
  return ExitCode::partial;
}

}  // namespace mpbench::commands
