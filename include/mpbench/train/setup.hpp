#pragma once

#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "mpbench/train/config.hpp"
#include "mpbench/train/loss.hpp"

/// What a TrainConfig means for a set of images: each option's part of a run, made once.
namespace mpbench::train {

/// The device of the run. Throws Error for a CUDA device that is not there (and why), UsageError
/// for
/// --cuda-graph where "auto" is the CPU.
torch::Device choose_device(const TrainConfig& config);
/// The same for a program that starts the run in another process (device::find_device).
torch::Device find_device(const TrainConfig& config);

/// Threads that prepare batches: as the options say, or by the device. The CPU's own work is only
/// disturbed by more than one; a GPU needs more where images are augmented.
int workers_of(const TrainConfig& config, torch::Device device);

/// The images; a synthetic set where the options name none.
data::ImageDataset open_images(const TrainConfig& config, const ProgressFunction& progress);

/// By a file, by folds, as the dataset brings it, or made here: grouped and stratified. Throws
/// UsageError where --folds meets a dataset with a split of its own.
data::Split make_split(const TrainConfig& config, const data::ImageDataset& set);

/// `split` matters where they are measured.
data::Normalization make_normalization(NormalizationKind kind, const data::ImageDataset& set,
                                       const data::Split& split);

/// With `--balance weight`, the positives' weight is the training images' negatives / positives.
Loss make_loss(const TrainConfig& config, const data::ImageDataset& set, const data::Split& split);

/// Our kernels on the CPU, in training and in prediction: all of them, or with
/// DepthwiseBackend::framework none but those that fp16 cannot do without.
kernels::CpuKernelOptions cpu_kernel_options(kernels::DepthwiseBackend depthwise,
                                             kernels::Emulation emulation, Precision precision);

/// For validation: every image, in order.
data::LoaderOptions loader_options(const TrainConfig& config, torch::Device device,
                                   data::Normalization normalization);
/// The same for training on `images` of them: shuffled, augmented, balanced, in batches of one size
/// where there are enough images for one.
data::LoaderOptions training_loader_options(data::LoaderOptions options, const TrainConfig& config,
                                            Task task, std::size_t images);

}  // namespace mpbench::train
