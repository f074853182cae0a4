#include "mpbench/data/loader.hpp"

#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "batch_order.hpp"
#include "gpu_images.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/device/step_timer.hpp"
#include "prefetch_ring.hpp"

namespace mpbench::data {

/// value * scale + offset: from a stored pixel to a normalised one.
struct Affine {
  std::vector<float> scale;
  std::vector<float> offset;
};

namespace {

Affine make_affine(const Normalization& normalization, int channels, PixelType type) {
  const auto count = static_cast<std::size_t>(channels);
  Affine affine{std::vector<float>(count, 1 / pixel_maximum(type)), std::vector<float>(count, 0)};
  if (normalization.mean.empty() && normalization.stddev.empty()) return affine;
  const auto size = normalization.mean.size();
  if (size != normalization.stddev.size() || (size != 1 && size != count)) {
    throw UsageError(
        fmt::format("a normalisation with {} means and {} deviations does not fit {} channels",
                    size, normalization.stddev.size(), channels));
  }
  for (std::size_t c = 0; c < count; ++c) {
    const std::size_t from = size == 1 ? 0 : c;
    if (!(normalization.stddev[from] > 0)) {
      throw UsageError("a normalisation's deviation must be positive");
    }
    affine.scale[c] /= normalization.stddev[from];
    affine.offset[c] = -normalization.mean[from] / normalization.stddev[from];
  }
  return affine;
}

/// One image [C, H, W]; in `target` a value's channels lie `C` planes, or with channels_last one
/// element, apart.
template <typename Pixel>
void normalise(const Pixel* source, float* target, const ImageDataset& set, const Affine& affine,
               bool channels_last) {
  const std::ptrdiff_t plane = std::ptrdiff_t{set.height} * set.width;
  const std::ptrdiff_t step = channels_last ? set.channels : 1;
  for (int c = 0; c < set.channels; ++c) {
    const float scale = affine.scale[static_cast<std::size_t>(c)];
    const float offset = affine.offset[static_cast<std::size_t>(c)];
    const Pixel* from = source + c * plane;
    float* to = target + (channels_last ? c : c * plane);
    for (std::ptrdiff_t i = 0; i < plane; ++i) {
      to[i * step] = static_cast<float>(from[i]) * scale + offset;
    }
  }
}

void check(const ImageDataset& set, const std::vector<std::int64_t>& indices,
           const LoaderOptions& options) {
  if (options.batch_size < 1) {
    throw UsageError(fmt::format("the batch size must be at least 1, not {}", options.batch_size));
  }
  if (options.workers < 0) {
    throw UsageError(
        fmt::format("the number of workers must not be negative: {}", options.workers));
  }
  validate(options.augment);
  if (options.balance_positives && (!options.shuffle || set.classes.size() != 2)) {
    throw UsageError("--balance positives: needs two classes and shuffled batches");
  }
  if (set.pixels.size() != static_cast<std::size_t>(set.size()) * set.image_bytes()) {
    throw Error(fmt::format("{} bytes of pixels are not {} images of {} bytes", set.pixels.size(),
                            set.size(), set.image_bytes()));
  }
  for (const auto index : indices) {
    if (index < 0 || index >= set.size()) {
      throw Error(fmt::format("image {} is outside a set of {}", index, set.size()));
    }
  }
}

}  // namespace

struct Loader::State {
  // What a slot of the ring holds. `images` is float32 for the CPU; for CUDA the stored pixels,
  // pinned. Either in the batch's memory format.
  struct Buffer {
    torch::Tensor images;
    torch::Tensor labels;
    std::vector<std::byte> augmented;  // one image on its way into `images`
    torch::Tensor sent_images;         // CUDA: the same on the device, once `copied` happened
    torch::Tensor sent_labels;
    std::optional<c10::Event> copied;
  };

  State(const ImageDataset& set_in, std::vector<std::int64_t> indices_in, LoaderOptions options_in);
  std::int64_t batch_images(std::int64_t batch) const {
    return std::min<std::int64_t>(options.batch_size, total - batch * options.batch_size);
  }
  void fill(std::size_t slot, std::int64_t batch);
  template <typename Pixel>
  void fill_image(Buffer& buffer, std::int64_t place_in_batch, std::int64_t place_in_order) const;
  void make_room(Buffer& buffer) const;
  void send(Buffer& buffer, std::int64_t count) const;
  Batch on_cpu(const Buffer& buffer, std::int64_t count) const;
  Batch on_cuda(Buffer& buffer, const torch::Tensor& place);
  void add_up_waiting();

  ImageDataset set;
  std::vector<std::int64_t> indices;
  LoaderOptions options;
  Affine affine;
  torch::Tensor device_scale;  // [1, C, 1, 1], CUDA only
  torch::Tensor device_offset;
  std::optional<c10::Stream> copy_stream;  // beside the one that computes, CUDA only
  // CUDA: from the end of what was computed before to the moment when the batch is there. The host
  // runs ahead, and its own waiting says little.
  device::StepTimer device_waiting;
  double device_waited_s = 0;
  std::vector<std::int64_t> positives;
  std::vector<std::int64_t> negatives;
  std::int64_t total = 0;  // images an epoch hands out
  std::int64_t batches = 0;
  std::int64_t next_batch = 0;
  int epoch = 0;
  std::vector<std::int64_t> order;
  std::vector<std::int32_t> occurrences;  // of order[i] before place i; only where it matters
  std::vector<Buffer> buffers;
  // Last: its threads use all of the above. They call no parallel operator, so they leave
  // at::set_num_threads alone: besides their own thread it sets what every thread that has not
  // computed yet will start with, the main one too.
  PrefetchRing ring;
};

Loader::State::State(const ImageDataset& set_in, std::vector<std::int64_t> indices_in,
                     LoaderOptions options_in)
    : set(set_in),
      indices(std::move(indices_in)),
      options(std::move(options_in)),
      device_waiting(options.device),
      buffers(static_cast<std::size_t>(std::max(options.workers, 0)) + 2),
      ring(std::max(options.workers, 0), buffers.size(),
           [this](std::size_t slot, std::int64_t batch) { fill(slot, batch); }) {
  check(set, indices, options);
  affine = make_affine(options.normalization, set.channels, set.pixel_type);
  const auto count = static_cast<std::int64_t>(indices.size());
  batches = count / options.batch_size;
  if (!options.drop_last && count % options.batch_size != 0) ++batches;
  total = std::min(count, batches * options.batch_size);
  if (total == 0) {
    throw Error(fmt::format("{} images make no batch of {}", count, options.batch_size));
  }
  if (options.balance_positives) {
    for (const auto index : indices) {
      const bool positive = set.samples[static_cast<std::size_t>(index)].label > 0;
      (positive ? positives : negatives).push_back(index);
    }
    if (positives.empty()) throw UsageError("--balance positives: there is no positive image");
  }
  if (options.device.is_cuda()) {
    const auto on_device = [&](std::vector<float>& values) {
      return torch::tensor(values).view({1, set.channels, 1, 1}).to(options.device);
    };
    device_scale = on_device(affine.scale);
    device_offset = on_device(affine.offset);
    copy_stream =
        c10::impl::VirtualGuardImpl(options.device.type()).getStreamFromGlobalPool(options.device);
  } else if (!options.device.is_cpu()) {
    throw UsageError(fmt::format("batches cannot be put on device '{}'", options.device.str()));
  }
}

void Loader::State::make_room(Buffer& buffer) const {
  const std::int64_t most = batch_images(0);  // a batch may be larger than the set
  const std::vector<std::int64_t> shape{most, set.channels, set.height, set.width};
  const auto format =
      options.channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  if (options.device.is_cuda()) {
    if (buffer.copied) {
      // Nearly always it has long happened, and asking is cheaper than waiting.
      if (!buffer.copied->query()) buffer.copied->synchronize();
    } else {
      const auto type = set.pixel_type == PixelType::u8 ? torch::kUInt8 : torch::kUInt16;
      buffer.images =
          torch::empty(shape, torch::dtype(type).pinned_memory(true).memory_format(format));
      buffer.labels = torch::empty({most}, torch::dtype(torch::kInt64).pinned_memory(true));
      buffer.copied.emplace(options.device.type());
    }
    return;
  }
  // Someone may still hold the batch that was handed out from here.
  if (!buffer.images.defined() || buffer.images.storage().use_count() > 1) {
    buffer.images = torch::empty(shape, torch::dtype(torch::kFloat32).memory_format(format));
  }
  if (!buffer.labels.defined() || buffer.labels.storage().use_count() > 1) {
    buffer.labels = torch::empty({most}, torch::kInt64);
  }
}

template <typename Pixel>
void Loader::State::fill_image(Buffer& buffer, std::int64_t place_in_batch,
                               std::int64_t place_in_order) const {
  const auto place = static_cast<std::size_t>(place_in_order);
  const std::int64_t index = order[place];
  const auto* source = reinterpret_cast<const Pixel*>(set.image(index).data());
  std::byte* target =
      static_cast<std::byte*>(buffer.images.data_ptr()) +
      place_in_batch * set.image_values() * static_cast<std::int64_t>(buffer.images.element_size());
  const bool on_gpu = options.device.is_cuda();
  const bool as_stored = on_gpu && !(options.channels_last && set.channels > 1);
  if (options.augment.any()) {
    if (!as_stored) buffer.augmented.resize(set.image_bytes());
    auto* changed = reinterpret_cast<Pixel*>(as_stored ? target : buffer.augmented.data());
    augment(source, changed, set.channels, set.height, set.width,
            draw_augmentation(options.augment, options.seed, epoch, index, occurrences[place]));
    source = changed;
  } else if (as_stored) {
    std::copy_n(source, set.image_values(), reinterpret_cast<Pixel*>(target));
  }
  if (as_stored) return;
  if (on_gpu) {
    interleave(source, reinterpret_cast<Pixel*>(target), set.channels,
               std::ptrdiff_t{set.height} * set.width);
  } else {
    normalise(source, reinterpret_cast<float*>(target), set, affine, options.channels_last);
  }
}

void Loader::State::fill(std::size_t slot, std::int64_t batch) {
  Buffer& buffer = buffers[slot];
  // A thread's current device is the first one until it is told otherwise, and waiting for an event
  // would make a context there.
  const c10::OptionalDeviceGuard on_device(options.device.is_cuda() ? std::optional(options.device)
                                                                    : std::nullopt);
  make_room(buffer);
  auto* labels = buffer.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < batch_images(batch); ++i) {
    const std::int64_t place = batch * options.batch_size + i;
    const std::int64_t index = order[static_cast<std::size_t>(place)];
    labels[i] = set.samples[static_cast<std::size_t>(index)].label;
    if (set.pixel_type == PixelType::u8) {
      fill_image<std::uint8_t>(buffer, i, place);
    } else {
      fill_image<std::uint16_t>(buffer, i, place);
    }
  }
  if (options.device.is_cuda()) send(buffer, batch_images(batch));
}

// By the thread that filled it: a batch is on its way while those before it are computed with.
void Loader::State::send(Buffer& buffer, std::int64_t count) const {
  const c10::StreamGuard guard(*copy_stream);
  buffer.sent_images = buffer.images.narrow(0, 0, count).to(options.device, /*non_blocking=*/true);
  buffer.sent_labels = buffer.labels.narrow(0, 0, count).to(options.device, /*non_blocking=*/true);
  buffer.copied->record(*copy_stream);
}

Batch Loader::State::on_cpu(const Buffer& buffer, std::int64_t count) const {
  return {buffer.images.narrow(0, 0, count), buffer.labels.narrow(0, 0, count), {}};
}

Batch Loader::State::on_cuda(Buffer& buffer, const torch::Tensor& place) {
  const auto computing =
      c10::impl::VirtualGuardImpl(options.device.type()).getStream(options.device);
  buffer.copied->block(computing);
  device_waiting.end();
  add_up_waiting();
  const auto stored = std::exchange(buffer.sent_images, {});
  const auto labels = std::exchange(buffer.sent_labels, {});
  // Their memory belongs to the copying stream, which must not use it again before the other is
  // done.
  stored.record_stream(computing);
  labels.record_stream(computing);
  return {
      normalised(stored, device_scale, device_offset, options.channels_last, place), labels, {}};
}

void Loader::State::add_up_waiting() {
  while (const auto seconds = device_waiting.next_if_finished()) device_waited_s += *seconds;
}

Loader::Loader(const ImageDataset& set, std::vector<std::int64_t> indices, LoaderOptions options)
    : state_(std::make_unique<State>(set, std::move(indices), std::move(options))) {}
Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&&) noexcept = default;

void Loader::start_epoch(int epoch, std::int64_t first_batch) {
  State& state = *state_;
  const auto& options = state.options;
  if (first_batch < 0 || first_batch > state.batches) {
    throw Error(fmt::format("batch {} is outside an epoch of {}", first_batch, state.batches));
  }
  state.ring.stop();
  state.epoch = epoch;
  state.next_batch = first_batch;
  if (options.balance_positives) {
    state.order = balanced_order(state.positives, state.negatives, options.batch_size, state.total,
                                 options.seed, epoch);
  } else if (options.shuffle) {
    state.order = shuffled_order(state.indices, options.seed, epoch);
  } else {
    state.order = state.indices;
  }
  if (options.augment.any()) state.occurrences = occurrences_in(state.order, state.set.size());
  state.ring.start(state.batches, first_batch);
}

std::optional<Batch> Loader::next(const torch::Tensor& place) {
  State& state = *state_;
  const torch::NoGradGuard no_grad;
  state.device_waiting.begin();
  const auto slot = state.ring.take();
  if (!slot) return std::nullopt;
  const std::int64_t count = state.batch_images(state.next_batch);
  auto batch = state.options.device.is_cuda() ? state.on_cuda(state.buffers[*slot], place)
                                              : state.on_cpu(state.buffers[*slot], count);
  const auto begin = state.order.begin() + state.next_batch * state.options.batch_size;
  batch.indices.assign(begin, begin + count);
  ++state.next_batch;
  return batch;
}

void Loader::pause() { state_->ring.pause(); }
void Loader::resume() { state_->ring.resume(); }

double Loader::wait_seconds() const {
  State& state = *state_;
  if (state.options.device.is_cpu()) return state.ring.wait_seconds();
  state.add_up_waiting();
  return state.device_waited_s;
}
at::Device Loader::device() const { return state_->options.device; }
std::int64_t Loader::batches_per_epoch() const { return state_->batches; }
std::int64_t Loader::images_per_epoch() const { return state_->total; }

}  // namespace mpbench::data
