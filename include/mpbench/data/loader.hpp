#pragma once

#include <ATen/core/TensorBody.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mpbench/data/augment.hpp"
#include "mpbench/data/image_dataset.hpp"

namespace mpbench::data {

/// Per-channel mean and standard deviation of values scaled to [0, 1]. Both empty: scaled only.
struct Normalization {
  std::vector<float> mean;
  std::vector<float> stddev;
};

/// The given images' own normalisation (population standard deviation); independent of their order
/// up to rounding. Throws Error when there are none or a channel is constant.
Normalization measure_normalization(const ImageDataset& set, std::span<const std::int64_t> indices);

/// What one training step takes.
struct Batch {
  at::Tensor images;                  ///< [N, C, H, W] float32 on the device, normalised
  at::Tensor labels;                  ///< [N] int64 on the device
  std::vector<std::int64_t> indices;  ///< [N] places in the ImageDataset
};

struct LoaderOptions {
  int batch_size = 16;
  bool shuffle = false;
  bool drop_last = false;  ///< leave a last, smaller batch out
  /// At least one positive a batch, or with a batch size of 1 in two batches; needs two classes and
  /// shuffle.
  bool balance_positives = false;
  AugmentOptions augment;  ///< for training; drawn anew in each epoch
  bool channels_last = false;
  int workers = 0;  ///< threads that fill batches ahead; 0: the caller's own
  std::uint64_t seed = 0;
  at::Device device = at::kCPU;
  Normalization normalization;  ///< one value a channel, or one for all
};

/// Turns an ImageDataset into batches, filled ahead by threads straight from the mapped file into a
/// ring of buffers that are used again. For CUDA they are pinned, and a batch is on its way over a
/// stream of its own while those before it are computed with; conversion and normalisation happen
/// on the device.
///
/// Order and contents depend on (seed, epoch) alone, never on the number of workers. Without
/// balance_positives an epoch has every index exactly once. With it the number of batches is the
/// same and positives are spread evenly over them; where there are fewer positives than batches
/// they are repeated, and as many negatives sit the epoch out.
///
/// How an image is augmented depends on (seed, epoch, index) and, where it comes more than once in
/// an epoch, on which time it is, so that repeated positives do not all look alike. It does not
/// depend on the image's place in the order, hence not on the batch size. Augmented values are
/// rounded to what the set can store, on the CPU as on CUDA: both train on the same images.
///
/// A batch's tensors stay valid as long as the caller holds them: a buffer still held is not used
/// again.
class Loader {
 public:
  /// Throws UsageError for options that make no sense, also balance_positives without a positive,
  /// Error for an index outside the set or no index at all.
  Loader(const ImageDataset& set, std::vector<std::int64_t> indices, LoaderOptions options);
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  /// Begins an epoch, or goes on with it from a batch on; one that was not finished is given up.
  /// Throws Error for a batch that the epoch does not have.
  void start_epoch(int epoch, std::int64_t first_batch = 0);
  /// The next batch, or nothing at the epoch's end. Rethrows what went wrong in a worker.
  /// On CUDA its images are put into `place`, where that is defined and of their size.
  std::optional<Batch> next(const at::Tensor& place = {});

  /// Stops the workers once they have filled the batches that they are at, so that another process
  /// has the processor to itself; what is filled is kept. next() must not be called until resume().
  void pause();
  void resume();

  /// Seconds lost for want of data, over all epochs. On the CPU what next() waited; with no workers
  /// all the time it spent filling. On CUDA how long the device had nothing to do before its batch
  /// was there, of the batches that have arrived by now.
  double wait_seconds() const;
  std::int64_t batches_per_epoch() const;
  at::Device device() const;  ///< where batches are
  /// Images an epoch hands out: the number of indices, or a little less with drop_last.
  std::int64_t images_per_epoch() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mpbench::data
