#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "mpbench/amp/grad_scaler_options.hpp"
#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/precision.hpp"
#include "mpbench/data/augment_options.hpp"
#include "mpbench/data/dataset_options.hpp"
#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/kernels/emulation_options.hpp"
#include "mpbench/nn/model_options.hpp"
#include "mpbench/train/loss_options.hpp"
#include "mpbench/train/optimizer_options.hpp"
#include "mpbench/train/schedule_options.hpp"

namespace mpbench::train {

/// The statistics that images are normalised with.
enum class NormalizationKind {
  automatic,  ///< imagenet for colour, else the training set's own
  imagenet,   ///< torchvision's constants for models trained on ImageNet
  unit,       ///< to [-1, 1]
  none,       ///< as they are, in [0, 1]
};

/// What evens out two classes of different sizes.
enum class Balance {
  automatic,  ///< positives, and none with more than two classes
  positives,  ///< at least one positive in every batch
  weight,     ///< the positives weigh more in the loss
  none,
};

/// Which images are trained on and which are for validation.
struct SplitOptions {
  double validation_fraction = 0.2;
  int folds = 0;               ///< 0: one split, by validation_fraction
  int fold = 0;                ///< which of the folds is for validation, from 0
  std::filesystem::path file;  ///< a split.csv; empty: the dataset's own split, or one made here
};

}  // namespace mpbench::train

template <>
inline constexpr auto mpbench::enum_names<mpbench::train::NormalizationKind> =
    std::to_array<mpbench::EnumName<mpbench::train::NormalizationKind>>(
        {{mpbench::train::NormalizationKind::automatic, "auto"},
         {mpbench::train::NormalizationKind::imagenet, "imagenet"},
         {mpbench::train::NormalizationKind::unit, "unit"},
         {mpbench::train::NormalizationKind::none, "none"}});

template <>
inline constexpr auto mpbench::enum_names<mpbench::train::Balance> =
    std::to_array<mpbench::EnumName<mpbench::train::Balance>>(
        {{mpbench::train::Balance::automatic, "auto"},
         {mpbench::train::Balance::positives, "positives"},
         {mpbench::train::Balance::weight, "weight"},
         {mpbench::train::Balance::none, "none"}});

namespace mpbench::train {

/// All that is needed to repeat a training run. Defaults are visible here; validate() checks the
/// whole once.
struct TrainConfig {
  data::DatasetOptions data;
  nn::ModelOptions model;
  std::filesystem::path weights;  ///< .pth or .safetensors; empty: freshly initialised
  bool freeze_backbone = false;
  int unfreeze_epoch = 0;  ///< from this epoch on (from 1) the backbone is trained too; 0: never
  int image_size = 0;      ///< pixels a side; 0: the dataset's own
  int batch_size = 32;
  int accumulate = 1;  ///< batches whose gradients make one optimizer step
  int epochs = 5;
  std::int64_t steps = 0;  ///< stop after so many optimizer steps; 0: after the epochs
  Precision precision = Precision::fp32;
  OptimizerOptions optimizer{.momentum = 0.9};
  double clip_norm = 0;  ///< largest L2 norm of all gradients together; 0: not clipped
  double ema_decay = 0;  ///< validate and save a moving average of the weights; 0: none
  LossOptions loss;
  double focal_alpha = -1;  ///< LossOptions::focal_alpha; below 0: none
  ScheduleOptions schedule;
  std::uint64_t seed = 0;
  bool deterministic = false;
  int early_stop = 0;  ///< end after so many epochs without a better metric; 0: never
  bool checkpoints = true;
  std::int64_t checkpoint_steps = 0;  ///< save in mid-epoch too, every so many steps; 0: don't
  std::string device = "auto";
  int threads = 0;  ///< 0: LibTorch's own choice
  bool channels_last = true;
  static constexpr int workers_by_device = -1;
  int workers = workers_by_device;  ///< see workers_of() in setup.hpp
  NormalizationKind normalize = NormalizationKind::automatic;
  Balance balance = Balance::automatic;
  data::AugmentOptions augment;
  SplitOptions split;
  int warmup_steps = 3;
  amp::GradScalerOptions scaler;
  std::int64_t stall_steps = 200;  ///< skipped in a row that end a run as diverged
  kernels::Depthwise depthwise = kernels::Depthwise::automatic;
  kernels::Emulation emulation = kernels::Emulation::automatic;
  std::string kernels = "auto";
  bool cuda_graph = false;
  bool cudnn_benchmark = true;
};

/// Tells a visitor that has `begin_group` which part of --help the options after it belong to.
template <class Visitor>
void begin_group(Visitor& visit, const char* name) {
  if constexpr (requires { visit.begin_group(name); }) visit.begin_group(name);
}

/// Calls visit(name, member, help) for every option, in the order help shows them. The name is the
/// flag without its dashes and the key in config.toml: an option is declared here and nowhere else.
/// Their order is that of config_hash, which kept rows of runs.csv have: a new option comes last.
template <class Config, class Visitor>
void visit_options(Config& config, Visitor&& visit) {
  begin_group(visit, "Data");
  visit("dataset", config.data.dataset,
        "auto, rsna, rsna-png, folder, cifar100, cifar10, idx or synthetic");
  visit("data", config.data.path,
        "Dataset folder or cache file; without it, a synthetic set is made");
  visit("limit", config.data.limit, "Use so many images only (smoke runs); 0 is all");
  begin_group(visit, "Model");
  visit("model", config.model.name, "The network");
  visit("activation", config.model.activation, "EfficientNet's: silu or relu6");
  visit("se", config.model.squeeze_excite,
        "EfficientNet's squeeze-excite: transformed (1x1 convolutions) or textbook (linear)");
  visit("weights", config.weights, "Start from a .pth or .safetensors file (torchvision's names)");
  visit("freeze-backbone", config.freeze_backbone, "Train the last layer alone");
  visit("unfreeze-epoch", config.unfreeze_epoch,
        "With --freeze-backbone: train all from this epoch on (from 1); 0 is never");
  begin_group(visit, "Data");
  visit("image-size", config.image_size, "Pixels a side; 0 is the dataset's own (rsna: 124)");
  begin_group(visit, "Optimization");
  visit("batch-size", config.batch_size, "Images a step");
  visit("accumulate", config.accumulate, "Batches whose gradients make one optimizer step");
  visit("epochs", config.epochs, "Passes over the training set");
  visit("steps", config.steps,
        "Stop after so many steps, whatever --epochs says; 0 is after the epochs");
  begin_group(visit, "Precision");
  visit("precision", config.precision, "fp32 (strict), tf32, bf16 or fp16 (with GradScaler)");
  begin_group(visit, "Optimization");
  visit("optimizer", config.optimizer.kind, "adam, adamw or sgd");
  visit("lr", config.optimizer.lr, "Learning rate");
  visit("weight-decay", config.optimizer.weight_decay, "Weight decay");
  visit("momentum", config.optimizer.momentum, "Momentum (sgd)");
  visit("nesterov", config.optimizer.nesterov, "Nesterov's momentum (sgd)");
  visit("clip-norm", config.clip_norm, "Largest L2 norm of all gradients together; 0 is no limit");
  visit("ema-decay", config.ema_decay,
        "Judge a moving average of the weights; 0 is none. 0.99 looks back about 100 steps");
  visit("loss", config.loss.kind, "cross-entropy or focal");
  visit("label-smoothing", config.loss.label_smoothing, "Share of the label given to all classes");
  visit("focal-gamma", config.loss.focal_gamma, "Focal loss: exponent of 1 - p");
  visit("focal-alpha", config.focal_alpha, "Focal loss: weight of the positives; below 0 is none");
  visit("schedule", config.schedule.kind, "Learning rate over time: constant or cosine");
  visit("warmup-epochs", config.schedule.warmup_epochs,
        "Epochs in which the learning rate rises from 0");
  visit("min-lr", config.schedule.min_lr, "What the cosine ends at");
  visit("seed", config.seed, "Seed of initialisation, split, order, augmentation: 0 to 2^63 - 1");
  begin_group(visit, "Measurement");
  visit("deterministic", config.deterministic,
        "Refuse operators whose result varies from run to run");
  begin_group(visit, "Optimization");
  visit("early-stop", config.early_stop,
        "End after so many epochs without a better metric; 0 is never");
  begin_group(visit, "Checkpoints");
  visit("checkpoints", config.checkpoints, "Keep the last and the best state in OUT/checkpoints");
  visit("checkpoint-steps", config.checkpoint_steps,
        "Save every so many steps too, not only after each epoch");
  begin_group(visit, "Measurement");
  visit("device", config.device, "auto, cpu, cuda or cuda:N");
  visit("threads", config.threads, "CPU threads that compute; 0 is one a core");
  visit("channels-last", config.channels_last, "NHWC memory format, in every precision alike");
  begin_group(visit, "Data");
  visit("workers", config.workers,
        "Threads that prepare batches; 0 prepares them in the step's thread, -1 takes 1 on the CPU "
        "and one for two cores on CUDA, at most 8");
  visit("normalize", config.normalize,
        "auto (imagenet for colour, else the training set's own), imagenet, unit or none");
  visit("balance", config.balance,
        "Two classes: positives (one in every batch), weight (in the loss), none, or auto: "
        "positives, "
        "and none with more classes");
  visit("augment-flip", config.augment.flip, "Mirror training images, one in two by chance");
  visit("augment-degrees", config.augment.degrees, "Turn training images by up to so many degrees");
  visit("augment-shift", config.augment.shift, "Move them by up to this share of their size");
  visit("augment-zoom", config.augment.zoom, "Enlarge or shrink them by up to this share");
  visit("augment-brightness", config.augment.brightness,
        "Add or take away up to so much; values are 0 to 1");
  visit("augment-contrast", config.augment.contrast,
        "Multiply their values by 1, give or take up to so much");
  visit("validation-fraction", config.split.validation_fraction,
        "Share of patients kept for validation");
  visit("folds", config.split.folds, "Cross-validation: so many folds of patients; 0 is one split");
  visit("fold", config.split.fold, "The fold kept for validation, from 0");
  visit("split", config.split.file,
        "CSV that says which image is in which split (id,split) or fold (id,fold)");
  begin_group(visit, "Measurement");
  visit("warmup-steps", config.warmup_steps, "Steps before the clock starts; undone afterwards");
  visit("depthwise", config.depthwise,
        "Depthwise convolutions on the CPU: auto, framework or fp32");
  begin_group(visit, "Precision");
  visit("emulation", config.emulation,
        "bf16, fp16 on a CPU without arithmetic for them: auto (in float32, rounded once) or "
        "framework");
  begin_group(visit, "Measurement");
  visit("kernels", config.kernels,
        "Instruction set of mpbench's CPU kernels: auto, avx512, avx2 or none");
  visit("cuda-graph", config.cuda_graph, "Capture the training step as a CUDA graph");
  visit(
      "cudnn-benchmark", config.cudnn_benchmark,
      "Let cuDNN try out which kernels are fastest before the first step, for seconds to minutes");
  begin_group(visit, "Precision");
  visit("init-scale", config.scaler.init_scale, "GradScaler's first scale (fp16)");
  visit("growth-interval", config.scaler.growth_interval,
        "Good steps before GradScaler doubles its scale (fp16)");
  visit("stall-steps", config.stall_steps,
        "Skipped steps in a row that end a run as diverged (fp16)");
}

/// The largest integer of TOML, in which a run's options are kept.
constexpr std::uint64_t largest_seed = std::numeric_limits<std::int64_t>::max();

/// Throws UsageError naming the option and its range or choices; InputError for a split file that
/// is not there. Whether this machine has the device is for choose_device to say.
void validate(const TrainConfig& config);

/// Throws InputError where the weights file is not there. Not part of validate(): a run that is
/// resumed has its weights from its state.
void require_weights_file(const TrainConfig& config);

// What validate() can only check where the options tell it, and the trainer once the images are
// known.

/// Throws UsageError for a --balance or --focal-alpha that such a number of classes does not have.
void require_classes(const TrainConfig& config, int classes);
/// Throws UsageError naming --image-size or --batch-size where the network cannot be trained with
/// batches of such images.
void require_image_size(const TrainConfig& config, int height, int width, std::int64_t batch_size);

nn::ModelOptions model_options(const TrainConfig& config, int channels, int classes);

/// Sets one option from text as on the command line: true or false, a number, a name. Throws
/// UsageError naming the option where there is none of that name, or the text is not of its type.
void set_option(TrainConfig& config, std::string_view option, std::string_view text);
/// One option's value as TOML; empty where there is none of that name.
std::string option_toml(const TrainConfig& config, std::string_view option);

/// The options as TOML, in the order and under the names of the flags: `mpbench train --config`
/// reads it back.
std::string to_toml(const TrainConfig& config);

/// The SHA-256 of the weights file, in hexadecimal digits; empty without --weights. Throws Error
/// for a file that cannot be read.
std::string weights_digest(const TrainConfig& config);

/// The first 12 hexadecimal digits of the SHA-256 of the options, the data's key and the content of
/// the weights and split files: equal for runs that can be paired as repeats. Throws Error for a
/// file that cannot be read.
std::string config_hash(const TrainConfig& config, const std::string& data_key);
/// The same where the weights' digest is known, and the file need not be there.
std::string config_hash(const TrainConfig& config, const std::string& data_key,
                        const std::string& digest);

/// The same without precision, seed and what only one precision uses (--init-scale): equal for runs
/// that may be compared with one another.
std::string pairing_hash(const TrainConfig& config, const std::string& data_key,
                         const std::string& digest);

}  // namespace mpbench::train
