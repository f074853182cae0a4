#include "run_rows.hpp"

#include <ATen/Parallel.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

#include "mpbench/core/build_info.hpp"
#include "mpbench/core/openmp_waiting.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/nvml.hpp"
#include "mpbench/stats/statistics.hpp"
#include "mpbench/train/setup.hpp"

namespace mpbench::bench {

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

RunRecord describe_run(const train::TrainConfig& config, const data::ImageDataset& set,
                       const RunOptions& options, c10::Device device) {
  RunRecord run;
  run.run_id = options.run_id;
  run.precision = to_string(config.precision);
  run.model = config.model.name;
  run.dataset = set.dataset;
  run.image_size = std::max(set.height, set.width);
  run.batch_size = config.batch_size;
  run.channels_last = config.channels_last;
  if (config.model.name.starts_with("efficientnet")) {
    run.activation = config.model.activation;
    run.squeeze_excite = config.model.squeeze_excite;
  }
  if (device.is_cuda()) run.cuda_graph = config.cuda_graph;
  run.workers = train::workers_of(config, device);
  run.seed = config.seed;
  run.repeat = options.repeat;
  run.device = device.str();
  run.threads = at::get_num_threads();
  run.omp_wait_policy = openmp_wait_policy();
  run.torch_version = device::versions().torch;
  run.git_commit = build_info::git_commit();
  run.build_type = build_info::build_type();
  const std::string weights = options.state != nullptr
                                  ? train::weights_digest(options.state->checkpoint)
                                  : train::weights_digest(config);
  run.config_hash = train::config_hash(config, set.key, weights);
  run.pairing_hash = train::pairing_hash(config, set.key, weights);
  run.started_at = utc_now();
  return run;
}

void describe_device(RunRecord& run, c10::Device device) {
  if (device.is_cuda()) {
    const device::CudaVersions cuda = device::cuda_versions();
    run.cuda_version = cuda.runtime;
    run.cudnn_version = cuda.cudnn;
  }
  run.device_name = device::describe(device).name;
}

std::string notes_on(const train::TrainConfig& config, const data::ImageDataset& set,
                     c10::Device device) {
  std::vector<std::string> notes;
  if (data::is_synthetic(set)) notes.emplace_back("synthetic data");
  const bool framework = config.emulation == kernels::Emulation::framework;
  const std::string warning = device::precision_warning(
      config.precision, device,
      framework ? "--emulation framework often takes ten times as long" : "");
  if (!warning.empty()) notes.push_back(warning);
  return fmt::format("{}", fmt::join(notes, "; "));
}

void fill_totals(RunRecord& run, const Totals& totals, bool has_scaler) {
  run.steps = totals.steps;
  if (has_scaler) run.skipped_steps = totals.skipped_steps;
  if (totals.steps == 0) return;
  run.train_time_s = totals.time_s;
  run.images_per_s = static_cast<double>(totals.images) / totals.time_s;
  if (totals.positives) {
    run.train_positive_share =
        static_cast<double>(*totals.positives) / static_cast<double>(totals.images);
  }
  run.data_wait_fraction = totals.data_wait_s / totals.time_s;
  run.step_ms_median = 1e3 * stats::median(totals.step_s);
  run.step_ms_mad = 1e3 * stats::median_absolute_deviation(totals.step_s);
}

void fill_use(RunRecord& run, const ResourceUse& use) {
  // An H100 refreshes its counter about ten times a second: 0 J of 60 ms, and a tenth off in 1 s.
  constexpr double shortest_gpu_energy_s = 1;
  run.peak_device_bytes = use.peak_device_bytes;
  run.peak_reserved_bytes = use.peak_reserved_bytes;
  run.peak_rss_bytes = use.peak_rss_bytes;
  run.cpu_time_s = use.cpu_time_s;
  run.energy_j = use.energy_j;
  if (run.train_time_s && *run.train_time_s >= shortest_gpu_energy_s) {
    run.device_energy_j = use.gpu.energy_j;
  }
  run.device_clock_mhz = use.gpu.median_clock_mhz();
  if (use.gpu.throttle_reasons) {
    run.device_throttled = device::throttle_words(*use.gpu.throttle_reasons);
  }
}

EpochRecord epoch_record(const std::string& run_id, const train::EpochResult& epoch) {
  return {.run_id = run_id,
          .epoch = epoch.epoch,
          .train_loss = epoch.train_loss,
          .train_accuracy = epoch.train_accuracy,
          .lr = epoch.lr,
          .loss_scale = epoch.loss_scale,
          .skipped_steps = epoch.loss_scale ? std::optional(epoch.skipped_steps) : std::nullopt,
          .epoch_time_s = epoch.time_s,
          .images_per_s = static_cast<double>(epoch.images) / epoch.time_s};
}

void fill_validation(RunOutput& output, const train::ValidationResult& validation,
                     const data::ImageDataset& set) {
  RunRecord& run = output.run;
  run.val_loss = validation.loss;
  run.val_accuracy = validation.accuracy;
  run.val_auc = validation.auc;
  run.val_pf1 = validation.pf1;
  run.val_breast_auc = validation.case_auc;
  run.val_breast_pf1 = validation.case_pf1;
  if (validation.best_threshold) {
    run.val_best_f1 = validation.best_threshold->f1;
    run.val_threshold = validation.best_threshold->threshold;
  }
  output.confusion = validation.confusion;
  EpochRecord& epoch = output.epochs.back();
  epoch.val_loss = validation.loss;
  epoch.val_accuracy = validation.accuracy;
  epoch.val_auc = validation.auc;
  output.predictions.clear();
  for (const auto& prediction : validation.predictions) {
    const auto& sample = set.samples[static_cast<std::size_t>(prediction.index)];
    output.predictions.push_back({.sample_id = sample.id,
                                  .group = sample.group,
                                  .case_id = sample.case_id == sample.id ? "" : sample.case_id,
                                  .label = sample.label,
                                  .score = prediction.score,
                                  .predicted = prediction.predicted,
                                  .logit = prediction.logit,
                                  .attributes = sample.attributes});
  }
}

}  // namespace mpbench::bench
