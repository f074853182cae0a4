#include "training_events.hpp"

#include <fmt/format.h>

#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "mpbench/image/png_writer.hpp"
#include "mpbench/train/training_images.hpp"

namespace mpbench::bench {
namespace {

using tensorboard::Scalar;

constexpr double seconds_between_points = 1;
constexpr int most_images = 8;

template <class Value>
std::variant<bool, double, std::string> hyperparameter_value(const Value& value) {
  if constexpr (std::is_same_v<Value, bool>) {
    return value;
  } else if constexpr (std::is_arithmetic_v<Value>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_same_v<Value, Precision>) {
    return std::string(to_string(value));
  } else if constexpr (NamedEnum<Value>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
    return value.string();
  } else {
    return value;
  }
}

std::vector<tensorboard::Hyperparameter> hyperparameters_of(const train::TrainConfig& config) {
  std::vector<tensorboard::Hyperparameter> all;
  train::visit_options(config, [&](const char* name, const auto& value, const char*) {
    all.push_back({.name = name, .value = hyperparameter_value(value)});
  });
  return all;
}

std::vector<std::string> validation_tags() {
  return {"epoch/train_loss", "epoch/val_loss", "epoch/val_accuracy",
          "epoch/val_auc",    "epoch/val_pf1",  "epoch/images_per_s"};
}

enum class Columns { of_training, of_validation };

/// The measured figures among a record's columns, which keep their names.
template <class Record>
std::vector<Scalar> scalars_of(const Record& record, Columns columns) {
  std::vector<Scalar> scalars;
  const auto add = [&](std::string_view name, double value) {
    const bool of_validation = name.starts_with("val_");
    if (of_validation != (columns == Columns::of_validation)) return;
    scalars.push_back({.tag = fmt::format("epoch/{}", name), .value = value});
  };
  visit_columns(record, [&]<class Value>(const char* name, const Value& value) {
    if constexpr (std::is_same_v<Value, std::optional<double>> ||
                  std::is_same_v<Value, std::optional<std::int64_t>>) {
      if (value) add(name, static_cast<double>(*value));
    }
  });
  return scalars;
}

tensorboard::Histogram histogram_of_milliseconds(const std::vector<double>& seconds) {
  std::vector<float> step_ms;
  step_ms.reserve(seconds.size());
  for (const double time : seconds) step_ms.push_back(static_cast<float>(1e3 * time));
  return tensorboard::histogram_of(step_ms);
}

}  // namespace

TrainingEvents::TrainingEvents(const std::filesystem::path& folder,
                               const train::TrainConfig& config, const data::ImageDataset& set,
                               const data::Split& split, std::int64_t steps_done)
    : file_(folder, steps_done == 0 ? 0 : steps_done + 1) {
  file_.add_text(steps_done, "config", fmt::format("```toml\n{}```\n", train::to_toml(config)));
  if (!file_.is_first()) return;
  file_.add_session_start(hyperparameters_of(config), validation_tags());
  add_images(config, set, split);
}

void TrainingEvents::add_images(const train::TrainConfig& config, const data::ImageDataset& set,
                                const data::Split& split) {
  int number = 0;
  for (train::TrainingImage& shown :
       train::first_training_images(config, set, split, most_images)) {
    const cv::Mat picture(set.height, set.width, CV_8UC(set.channels), shown.pixels.data());
    const std::vector<std::byte> png = image::encode_png(picture);
    const std::string& name = set.classes[static_cast<std::size_t>(shown.label)];
    file_.add_image(
        0, fmt::format("crops/{} {}", ++number, name),
        {.height = set.height, .width = set.width, .channels = set.channels, .png = png});
  }
}

void TrainingEvents::add(const train::StepWindow& window) {
  train::StepWindow sum = window;
  sum.steps += since_point_.steps;
  sum.loss_sum += since_point_.loss_sum;
  sum.step_s += since_point_.step_s;
  since_point_ = sum;
  if (since_written_.seconds() >= seconds_between_points) add_point();
}

void TrainingEvents::add_point() {
  const train::StepWindow point = std::exchange(since_point_, {});
  since_written_ = Stopwatch();
  if (point.steps == 0) return;
  const auto steps = static_cast<double>(point.steps);
  std::vector<Scalar> scalars{{"step/loss", point.loss_sum / steps},
                              {"step/ms", 1e3 * point.step_s / steps},
                              {"step/lr", point.lr}};
  if (point.loss_scale) {
    scalars.push_back({"step/loss_scale", *point.loss_scale});
    scalars.push_back({"step/skipped_steps", static_cast<double>(point.skipped_steps)});
  }
  file_.add_scalars(point.steps_done, scalars);
}

void TrainingEvents::end_epoch(const train::EpochResult& epoch, const EpochRecord& record,
                               const train::Trainer& trainer) {
  add_point();
  const std::int64_t step = trainer.steps_done();
  file_.add_histogram(step, "epoch/step_ms", histogram_of_milliseconds(epoch.step_s));
  std::int64_t not_finite = 0;
  const auto add_values = [&](std::string_view group, const std::string& name,
                              std::span<const float> values) {
    const tensorboard::Histogram histogram = tensorboard::histogram_of(values);
    not_finite += histogram.not_finite;
    file_.add_histogram(step, fmt::format("{}/{}", group, name), histogram);
  };
  trainer.visit_parameters([&](const std::string& name, std::span<const float> weights,
                               std::span<const float> gradient) {
    add_values("weights", name, weights);
    add_values("gradients", name, gradient);
  });
  std::vector<Scalar> scalars = scalars_of(record, Columns::of_training);
  scalars.push_back({"epoch/values_not_finite", static_cast<double>(not_finite)});
  file_.add_scalars(step, scalars);
}

void TrainingEvents::add_validation(std::int64_t steps_done, const RunRecord& run) {
  file_.add_scalars(steps_done, scalars_of(run, Columns::of_validation));
}

void TrainingEvents::end_run(RunStatus status) {
  add_point();
  if (status == RunStatus::interrupted) return;
  file_.add_session_end(status == RunStatus::ok ? tensorboard::SessionEnd::success
                                                : tensorboard::SessionEnd::failure);
}

}  // namespace mpbench::bench
