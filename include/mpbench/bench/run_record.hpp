#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "mpbench/bench/arm_kind.hpp"
#include "mpbench/core/enum_names.hpp"
#include "mpbench/data/sample.hpp"

/// What a run leaves behind. Every column is declared once, in visit_columns: headers, cells
/// and reading back all walk the same list. docs/csv.md says what each
/// column means.
namespace mpbench::bench {

/// How a run ended. `oom`: memory ran out. `diverged`: the loss stopped being a number.
/// `interrupted`: Ctrl-C.
enum class RunStatus { ok, oom, diverged, failed, interrupted };

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::RunStatus> =
    std::to_array<mpbench::EnumName<mpbench::bench::RunStatus>>(
        {{mpbench::bench::RunStatus::ok, "ok"},
         {mpbench::bench::RunStatus::oom, "oom"},
         {mpbench::bench::RunStatus::diverged, "diverged"},
         {mpbench::bench::RunStatus::failed, "failed"},
         {mpbench::bench::RunStatus::interrupted, "interrupted"}});

namespace mpbench::bench {

/// One row of runs.csv: one training run. An empty optional is an empty cell: not measured, never
/// 0.
struct RunRecord {
  static constexpr std::string_view last_of_first_version = "note";
  std::string run_id{};
  RunStatus status = RunStatus::failed;
  std::string error{};
  std::string precision{};
  std::string model{};
  std::string dataset{};
  std::optional<std::int64_t> n_train{};
  std::optional<std::int64_t> n_val{};
  std::optional<std::int64_t> image_size{};
  std::optional<std::int64_t> batch_size{};
  std::optional<std::int64_t> epochs{};
  std::optional<std::int64_t> steps{};
  std::optional<bool> channels_last{};
  std::optional<std::uint64_t> seed{};
  std::optional<std::int64_t> repeat{};
  std::string device{};
  std::string device_name{};
  std::optional<std::int64_t> threads{};
  std::optional<std::int64_t> parameters{};
  std::optional<double> time_to_first_step_s{};
  std::optional<double> train_time_s{};
  std::optional<double> step_ms_median{};
  std::optional<double> step_ms_mad{};
  std::optional<double> images_per_s{};
  std::optional<double> data_wait_fraction{};
  std::optional<std::int64_t> peak_device_bytes{};
  std::optional<std::int64_t> peak_rss_bytes{};
  std::optional<double> cpu_time_s{};
  std::optional<double> energy_j{};
  std::optional<double> train_loss{};
  std::optional<double> val_loss{};
  std::optional<double> val_accuracy{};
  std::optional<double> val_auc{};
  std::optional<double> val_pf1{};
  std::optional<std::int64_t> skipped_steps{};
  std::optional<double> final_loss_scale{};
  std::string torch_version{};
  std::string cuda_version{};
  std::string cudnn_version{};
  std::string git_commit{};
  std::string config_hash{};
  std::string note{};  ///< what a reader must know: "fp16 is emulated here", "synthetic data"
  std::string
      build_type{};  ///< build_info::build_type(); anything but "Release" taints the timings
  std::string fp16_convolution{};  ///< how fp16 convolutions were computed, where that was a choice
  std::string bf16_convolution{};  ///< the same of bf16
  std::string omp_wait_policy{};   ///< how OpenMP's threads waited: openmp_wait_policy()
  std::string kernels{};     ///< which operators were not the framework's own, and how computed
  std::string activation{};  ///< EfficientNet's; empty for other models
  std::string squeeze_excite{};
  std::optional<bool> cuda_graph{};        ///< whether steps ran as a CUDA graph; empty on the CPU
  std::optional<double> val_breast_auc{};  ///< of breasts, by the mean score of their images
  std::optional<double> val_breast_pf1{};
  std::optional<double> val_best_f1{};  ///< at val_threshold; of breasts where there are
  std::optional<double> val_threshold{};
  std::string pairing_hash{};  ///< train::pairing_hash(): equal for runs that may be compared
  std::optional<std::int64_t> best_epoch{};  ///< by val_auc, or val_accuracy where there is none
  std::string started_at{};                  ///< UTC, ISO 8601: "2026-01-31T12:34:56Z"
  std::optional<double> train_positive_share{};  ///< of the images trained on; two classes only
  std::optional<std::int64_t> peak_reserved_bytes{};  ///< what the allocator took from the GPU
  std::optional<double> device_energy_j{};            ///< the GPU's own; energy_j is the CPU's
  std::optional<std::int64_t> device_clock_mhz{};     ///< median of the GPU's multiprocessors
  std::string device_throttled{};                     ///< device::throttle_words()
  std::optional<std::int64_t> workers{};              ///< threads that prepared batches
  // Of a comparison's run; empty for a run of its own. See bench/plan.hpp.
  std::string configuration{};
  std::string arm{};
  std::optional<ArmKind> arm_kind{};
  std::string compared_with{};  ///< the arm that it is compared with; empty for the baseline
};

/// One row of epochs.csv.
struct EpochRecord {
  std::string run_id{};
  std::int64_t epoch = 0;  ///< from 1
  std::optional<double> train_loss{};
  std::optional<double> train_accuracy{};
  std::optional<double> val_loss{};
  std::optional<double> val_accuracy{};
  std::optional<double> val_auc{};
  std::optional<double> lr{};
  std::optional<double> loss_scale{};
  std::optional<std::int64_t> skipped_steps{};
  std::optional<double> epoch_time_s{};
  std::optional<double> images_per_s{};
};

/// One row of predictions/<run_id>.csv: one validation sample.
struct PredictionRow {
  static constexpr std::string_view last_of_first_version = "predicted";
  std::string sample_id{};
  std::string group{};  ///< what must stay together when resampling: the patient; the sample itself
                        ///< where there is none
  std::string case_id{};  ///< what scores are averaged over: the breast; empty where
                          ///< there is none
  int label = 0;
  double score = 0;  ///< the positive class's probability (two classes), or the true class's (more)
  int predicted = 0;
  std::optional<double>
      logit{};  ///< the positive class's log-odds; empty with more than two classes
  data::SampleAttributes attributes{};
};

/// The epoch with the highest val_auc, or val_accuracy where no epoch has an AUC; the first of
/// equals. 0: none was validated. An epoch whose loss is not a number is no candidate.
std::int64_t best_epoch(std::span<const EpochRecord> epochs);

template <class Record, class Expected>
concept RecordOf = std::same_as<std::remove_const_t<Record>, Expected>;

/// Calls visit("column", member) for every column in the file's order.
template <RecordOf<RunRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("run_id", r.run_id);
  visit("status", r.status);
  visit("error", r.error);
  visit("precision", r.precision);
  visit("model", r.model);
  visit("dataset", r.dataset);
  visit("n_train", r.n_train);
  visit("n_val", r.n_val);
  visit("image_size", r.image_size);
  visit("batch_size", r.batch_size);
  visit("epochs", r.epochs);
  visit("steps", r.steps);
  visit("channels_last", r.channels_last);
  visit("seed", r.seed);
  visit("repeat", r.repeat);
  visit("device", r.device);
  visit("device_name", r.device_name);
  visit("threads", r.threads);
  visit("parameters", r.parameters);
  visit("time_to_first_step_s", r.time_to_first_step_s);
  visit("train_time_s", r.train_time_s);
  visit("step_ms_median", r.step_ms_median);
  visit("step_ms_mad", r.step_ms_mad);
  visit("images_per_s", r.images_per_s);
  visit("data_wait_fraction", r.data_wait_fraction);
  visit("peak_device_bytes", r.peak_device_bytes);
  visit("peak_rss_bytes", r.peak_rss_bytes);
  visit("cpu_time_s", r.cpu_time_s);
  visit("energy_j", r.energy_j);
  visit("train_loss", r.train_loss);
  visit("val_loss", r.val_loss);
  visit("val_accuracy", r.val_accuracy);
  visit("val_auc", r.val_auc);
  visit("val_pf1", r.val_pf1);
  visit("skipped_steps", r.skipped_steps);
  visit("final_loss_scale", r.final_loss_scale);
  visit("torch_version", r.torch_version);
  visit("cuda_version", r.cuda_version);
  visit("cudnn_version", r.cudnn_version);
  visit("git_commit", r.git_commit);
  visit("config_hash", r.config_hash);
  visit("note", r.note);
  visit("build_type", r.build_type);
  visit("fp16_convolution", r.fp16_convolution);
  visit("started_at", r.started_at);
  visit("kernels", r.kernels);
  visit("activation", r.activation);
  visit("squeeze_excite", r.squeeze_excite);
  visit("cuda_graph", r.cuda_graph);
  visit("val_breast_auc", r.val_breast_auc);
  visit("val_breast_pf1", r.val_breast_pf1);
  visit("val_best_f1", r.val_best_f1);
  visit("val_threshold", r.val_threshold);
  visit("best_epoch", r.best_epoch);
  visit("bf16_convolution", r.bf16_convolution);
  visit("omp_wait_policy", r.omp_wait_policy);
  visit("pairing_hash", r.pairing_hash);
  visit("train_positive_share", r.train_positive_share);
  visit("peak_reserved_bytes", r.peak_reserved_bytes);
  visit("device_energy_j", r.device_energy_j);
  visit("device_clock_mhz", r.device_clock_mhz);
  visit("device_throttled", r.device_throttled);
  visit("workers", r.workers);
  visit("configuration", r.configuration);
  visit("arm", r.arm);
  visit("arm_kind", r.arm_kind);
  visit("compared_with", r.compared_with);
}

template <RecordOf<EpochRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("run_id", r.run_id);
  visit("epoch", r.epoch);
  visit("train_loss", r.train_loss);
  visit("train_accuracy", r.train_accuracy);
  visit("val_loss", r.val_loss);
  visit("val_accuracy", r.val_accuracy);
  visit("val_auc", r.val_auc);
  visit("lr", r.lr);
  visit("loss_scale", r.loss_scale);
  visit("skipped_steps", r.skipped_steps);
  visit("epoch_time_s", r.epoch_time_s);
  visit("images_per_s", r.images_per_s);
}

template <RecordOf<PredictionRow> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("sample_id", r.sample_id);
  visit("group", r.group);
  visit("unit", r.case_id);
  visit("label", r.label);
  visit("score", r.score);
  visit("predicted", r.predicted);
  visit("logit", r.logit);
  for (const data::AttributeField& field : data::attribute_fields) {
    visit(field.name, r.attributes.*field.value);
  }
}

}  // namespace mpbench::bench
