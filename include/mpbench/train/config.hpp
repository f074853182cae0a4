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
  std::uint64_t seed = 0;      ///< of a split that is made here
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
  kernels::DepthwiseBackend depthwise = kernels::DepthwiseBackend::automatic;
  kernels::Emulation emulation = kernels::Emulation::automatic;
  std::string kernels = "auto";
  bool cuda_graph = false;
  bool cudnn_benchmark = true;
  double handicap = 0;  ///< each training step takes so much longer, as a share: 0.05 is 5 %
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
  visit("limit", config.data.limit, "Use only about this many images, for smoke tests; 0: all");
  begin_group(visit, "Model");
  visit("model", config.model.name,
        "Network: cnn, resnet18, resnet50, efficientnet-b0 to efficientnet-b7");
  visit("activation", config.model.activation, "EfficientNet activation: silu or relu6");
  visit("se", config.model.squeeze_excite,
        "EfficientNet squeeze-and-excitation: transformed (1x1 convolutions) or textbook (linear "
        "layers)");
  visit("weights", config.weights,
        "Initialise from a .pth or .safetensors file (names of torchvision or timm)");
  visit("freeze-backbone", config.freeze_backbone, "Train only the classification head");
  visit("unfreeze-epoch", config.unfreeze_epoch,
        "With --freeze-backbone: train all layers from this epoch on (counted from 1); 0: never");
  begin_group(visit, "Data");
  visit("image-size", config.image_size, "Image side in pixels; 0: the dataset's own (rsna: 124)");
  begin_group(visit, "Optimization");
  visit("batch-size", config.batch_size, "Images per step");
  visit("accumulate", config.accumulate, "Gradient accumulation: batches per optimizer step");
  visit("epochs", config.epochs, "Passes over the training set");
  visit("steps", config.steps,
        "Stop after this many optimizer steps, regardless of --epochs; 0: train all epochs");
  begin_group(visit, "Precision");
  visit("precision", config.precision,
        "fp32 (strict IEEE), tf32, bf16 or fp16 (autocast, fp16 with GradScaler)");
  begin_group(visit, "Optimization");
  visit("optimizer", config.optimizer.kind, "adam, adamw or sgd");
  visit("lr", config.optimizer.lr, "Learning rate");
  visit("weight-decay", config.optimizer.weight_decay, "Weight decay");
  visit("momentum", config.optimizer.momentum, "Momentum (sgd)");
  visit("nesterov", config.optimizer.nesterov, "Nesterov momentum (sgd)");
  visit("clip-norm", config.clip_norm,
        "Gradient clipping: maximum L2 norm of all gradients together; 0: off");
  visit("ema-decay", config.ema_decay,
        "Validate an exponential moving average of the weights with this decay; 0: off (0.99 "
        "averages about 100 steps)");
  visit("loss", config.loss.kind, "cross-entropy or focal");
  visit("label-smoothing", config.loss.label_smoothing,
        "Label smoothing: share of each label spread over all classes");
  visit("focal-gamma", config.loss.focal_gamma, "Focal loss: focusing exponent gamma");
  visit("focal-alpha", config.focal_alpha,
        "Focal loss: weight of the positive class; below 0: none");
  visit("schedule", config.schedule.kind,
        "Learning rate schedule after the warm-up: constant or cosine");
  visit("warmup-epochs", config.schedule.warmup_epochs, "Epochs of linear learning rate warm-up");
  visit("min-lr", config.schedule.min_lr, "Final learning rate of the cosine schedule");
  visit("seed", config.seed, "Seed of initialisation, shuffling and augmentation: 0 to 2^63 - 1");
  begin_group(visit, "Measurement");
  visit("deterministic", config.deterministic,
        "Use deterministic algorithms only; an operator without one is an error");
  begin_group(visit, "Optimization");
  visit("early-stop", config.early_stop,
        "Stop after this many epochs without a better metric; 0: never");
  begin_group(visit, "Checkpoints");
  visit("checkpoints", config.checkpoints,
        "Keep the last and the best checkpoint in OUT/checkpoints");
  visit("checkpoint-steps", config.checkpoint_steps,
        "Save a checkpoint every this many steps too; 0: after each epoch only");
  begin_group(visit, "Measurement");
  visit("device", config.device, "auto, cpu, cuda or cuda:N");
  visit("threads", config.threads, "CPU threads for computation; 0: one per core");
  visit("channels-last", config.channels_last,
        "NHWC (channels_last) memory format, in every precision");
  begin_group(visit, "Data");
  visit("workers", config.workers,
        "Data loader threads; 0: load in the main thread; -1: 1 on the CPU, half the cores (at "
        "most 8) on CUDA");
  visit("normalize", config.normalize,
        "Normalisation: auto (imagenet for colour, else the training set's own), imagenet, unit or "
        "none");
  visit("balance", config.balance,
        "Class balance of two classes: positives (one in every batch), weight (in the loss), none, "
        "or auto: positives, and none with more classes");
  visit("augment-flip", config.augment.flip,
        "Flip training images horizontally with probability 0.5");
  visit("augment-degrees", config.augment.degrees,
        "Rotate training images by up to this many degrees");
  visit("augment-shift", config.augment.shift,
        "Translate them by up to this fraction of their size");
  visit("augment-zoom", config.augment.zoom, "Scale them up or down by up to this fraction");
  visit("augment-brightness", config.augment.brightness,
        "Add up to this much to their values, or subtract it (values are 0 to 1)");
  visit("augment-contrast", config.augment.contrast,
        "Multiply their values by 1 plus or minus up to this much");
  visit("validation-fraction", config.split.validation_fraction,
        "Fraction of the patients used for validation");
  visit("folds", config.split.folds,
        "Cross-validation with this many folds, by patient; 0: a single split");
  visit("fold", config.split.fold, "Fold used for validation, counted from 0");
  visit("split", config.split.file,
        "CSV file that assigns images to splits (id,split) or folds (id,fold)");
  begin_group(visit, "Measurement");
  visit("warmup-steps", config.warmup_steps,
        "Steps before timing starts; their effect on the model is undone");
  visit("depthwise", config.depthwise,
        "Depthwise convolutions on the CPU: auto, framework or fp32");
  begin_group(visit, "Precision");
  visit("emulation", config.emulation,
        "bf16 and fp16 on a CPU without native support: auto (computed in float32, rounded once) "
        "or framework");
  begin_group(visit, "Measurement");
  visit("kernels", config.kernels,
        "Instruction set of mpbench's CPU kernels: auto, avx512, avx2 or none");
  visit("cuda-graph", config.cuda_graph, "Capture the training step as a CUDA graph");
  visit("cudnn-benchmark", config.cudnn_benchmark,
        "Let cuDNN benchmark its algorithms before the first step, for seconds to minutes");
  begin_group(visit, "Precision");
  visit("init-scale", config.scaler.init_scale, "GradScaler: initial scale (fp16)");
  visit("growth-interval", config.scaler.growth_interval,
        "GradScaler: steps without overflow before the scale doubles (fp16)");
  visit("stall-steps", config.stall_steps,
        "End the run as diverged after this many skipped steps in a row (fp16)");
  begin_group(visit, "Data");
  visit("split-seed", config.split.seed,
        "Seed of the split into training and validation: 0 to 2^63 - 1");
  begin_group(visit, "Measurement");
  visit("handicap", config.handicap,
        "Make each training step longer by this fraction, to test a comparison: 0.05 is 5 %");
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
