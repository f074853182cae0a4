#include "mpbench/data/loader.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::data {
namespace {

std::vector<std::int64_t> all_of(const ImageDataset& set) {
  std::vector<std::int64_t> indices(set.samples.size());
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

std::vector<Batch> run_epoch(Loader& loader, int epoch) {
  loader.start_epoch(epoch);
  std::vector<Batch> batches;
  while (auto batch = loader.next()) batches.push_back(*batch);
  return batches;
}

/// What the loader should make of the chosen images, by torch operators.
torch::Tensor expected_images(const ImageDataset& set, const std::vector<std::int64_t>& indices,
                              const Normalization& normalization) {
  const auto type = set.pixel_type == PixelType::u8 ? torch::kUInt8 : torch::kUInt16;
  auto pixels = torch::empty({set.size(), set.channels, set.height, set.width}, type);
  std::memcpy(pixels.data_ptr(), set.pixels.data(), set.pixels.size());
  auto images = pixels.to(torch::kFloat64).index_select(0, torch::tensor(indices));
  images /= pixel_maximum(set.pixel_type);
  images -= torch::tensor(normalization.mean).view({1, -1, 1, 1});
  return images / torch::tensor(normalization.stddev).view({1, -1, 1, 1});
}

TEST(LoaderTest, GivesNormalisedImagesAndTheirLabels) {
  const Normalization normalization{{0.4F, 0.5F, 0.3F}, {0.2F, 0.25F, 0.3F}};
  const auto check = [&]<typename Pixel>(Pixel) {
    const auto set = make_images<Pixel>(11, 3, 5, 7, 3);
    for (const bool channels_last : {false, true}) {
      Loader loader(set, all_of(set),
                    {.batch_size = 4,
                     .shuffle = true,
                     .channels_last = channels_last,
                     .normalization = normalization});
      for (const auto& batch : run_epoch(loader, 0)) {
        EXPECT_EQ(batch.images.scalar_type(), torch::kFloat32);
        EXPECT_EQ(batch.images.suggest_memory_format() == torch::MemoryFormat::ChannelsLast,
                  channels_last);
        EXPECT_TRUE(torch::allclose(batch.images.to(torch::kFloat64),
                                    expected_images(set, batch.indices, normalization), 1e-5,
                                    1e-6));
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
          EXPECT_EQ(batch.labels[static_cast<std::int64_t>(i)].item<std::int64_t>(),
                    set.samples[static_cast<std::size_t>(batch.indices[i])].label);
        }
      }
    }
  };
  check(std::uint8_t{});
  check(std::uint16_t{});
}

TEST(LoaderTest, GivesAGpuTheBatchesOfTheCpu) {
  SKIP_WITHOUT_CUDA();
  const auto set = make_images<std::uint8_t>(301, 3, 33, 31, 3);
  LoaderOptions options{.batch_size = 16, .shuffle = true, .channels_last = true, .workers = 3};
  options.normalization = {{0.4F, 0.5F, 0.3F}, {0.2F, 0.25F, 0.3F}};
  options.augment.flip = true;
  Loader on_cpu(set, all_of(set), options);
  options.device = device::parse_device("cuda");
  Loader on_gpu(set, all_of(set), options);
  for (int epoch = 0; epoch < 3; ++epoch) {
    on_gpu.start_epoch(epoch);
    for (const auto& expected : run_epoch(on_cpu, epoch)) {
      const auto batch = on_gpu.next();
      ASSERT_TRUE(batch);
      EXPECT_EQ(batch->indices, expected.indices);
      EXPECT_TRUE(batch->images.is_cuda());
      // Work that is still going on when the next batch arrives.
      const auto busy =
          torch::rand({1024, 1024}, options.device).mm(torch::rand({1024, 1024}, options.device));
      EXPECT_TRUE(torch::allclose(batch->images.cpu(), expected.images, 1e-5, 1e-6));
      EXPECT_TRUE(torch::equal(batch->labels.cpu(), expected.labels));
    }
    EXPECT_FALSE(on_gpu.next());
  }
}

TEST(LoaderTest, CallsOneChannelChannelsLastWhenAsked) {
  const auto set = make_images<std::uint8_t>(4, 1, 6, 6, 2);
  Loader loader(set, all_of(set), {.batch_size = 4, .channels_last = true});
  const auto batches = run_epoch(loader, 0);
  EXPECT_EQ(batches.at(0).images.suggest_memory_format(), torch::MemoryFormat::ChannelsLast);
}

TEST(LoaderTest, GivesEveryIndexOnceAnEpoch) {
  const auto set = make_images<std::uint8_t>(50, 1, 3, 3, 5);
  std::vector<std::int64_t> indices{3, 1, 4, 15, 9, 26, 5, 35, 8, 7, 49};
  Loader loader(set, indices, {.batch_size = 4, .shuffle = true, .workers = 2, .seed = 5});
  EXPECT_EQ(loader.batches_per_epoch(), 3);
  EXPECT_EQ(loader.images_per_epoch(), 11);
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<std::int64_t> order;
    for (const auto& batch : run_epoch(loader, epoch)) {
      order.insert(order.end(), batch.indices.begin(), batch.indices.end());
    }
    orders.insert(order);
    std::sort(order.begin(), order.end());
    auto sorted = indices;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(order, sorted);
  }
  EXPECT_EQ(orders.size(), 4U) << "every epoch has an order of its own";
}

TEST(LoaderTest, KeepsTheOrderWithoutShuffling) {
  const auto set = make_images<std::uint8_t>(10, 1, 2, 2, 5);
  Loader loader(set, {9, 0, 5}, {.batch_size = 2});
  const auto batches = run_epoch(loader, 0);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].indices, (std::vector<std::int64_t>{9, 0}));
  EXPECT_EQ(batches[1].indices, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(batches[1].images.size(0), 1);
}

TEST(LoaderTest, DropsTheLastBatchWhenAsked) {
  const auto set = make_images<std::uint8_t>(10, 1, 2, 2, 5);
  Loader loader(set, all_of(set), {.batch_size = 4, .drop_last = true});
  EXPECT_EQ(run_epoch(loader, 0).size(), 2U);
  EXPECT_EQ(loader.images_per_epoch(), 8);
  EXPECT_THROW(Loader(set, {1, 2}, {.batch_size = 4, .drop_last = true}), Error);
}

TEST(LoaderTest, DoesNotDependOnTheNumberOfWorkers) {
  const auto set = make_images<std::uint8_t>(101, 3, 6, 5, 9);
  for (const bool balance : {false, true}) {
    std::vector<std::vector<Batch>> runs;
    for (const int workers : {0, 1, 3}) {
      Loader loader(set, all_of(set),
                    {.batch_size = 8,
                     .shuffle = true,
                     .balance_positives = balance,
                     .augment = {.flip = true, .degrees = 20, .brightness = 0.2},
                     .channels_last = true,
                     .workers = workers,
                     .seed = 11});
      run_epoch(loader, 0);
      runs.push_back(run_epoch(loader, 1));
    }
    for (std::size_t run = 1; run < runs.size(); ++run) {
      ASSERT_EQ(runs[run].size(), runs[0].size());
      for (std::size_t b = 0; b < runs[0].size(); ++b) {
        EXPECT_EQ(runs[run][b].indices, runs[0][b].indices);
        EXPECT_TRUE(torch::equal(runs[run][b].images, runs[0][b].images));
        EXPECT_TRUE(torch::equal(runs[run][b].labels, runs[0][b].labels));
      }
    }
  }
}

TEST(LoaderTest, PutsAPositiveIntoEveryBatch) {
  // 100 images with 4, 12, 25 and 50 positives; batches of 8 make 13, of 32 make 4, and the last is
  // smaller.
  for (const int every : {25, 9, 4, 2}) {
    const auto set = make_images<std::uint8_t>(100, 1, 2, 2, every);
    const int positives = (100 + every - 1) / every;
    for (const int batch_size : {2, 8, 32, 99, 200}) {
      for (const bool drop_last : {false, true}) {
        if (drop_last && batch_size > 100) continue;
        Loader loader(set, all_of(set),
                      {.batch_size = batch_size,
                       .shuffle = true,
                       .drop_last = drop_last,
                       .balance_positives = true,
                       .seed = 2});
        std::map<std::int64_t, int> seen;
        std::int64_t most = 0;
        std::int64_t images = 0;
        const auto batches = run_epoch(loader, 3);
        for (const auto& batch : batches) {
          const auto count = batch.labels.sum().item<std::int64_t>();
          EXPECT_GE(count, 1) << positives << " positives, batches of " << batch_size;
          most = std::max(most, count);
          images += batch.labels.size(0);
          for (const auto index : batch.indices) ++seen[index];
        }
        EXPECT_EQ(static_cast<std::int64_t>(batches.size()), loader.batches_per_epoch());
        EXPECT_EQ(images, loader.images_per_epoch());
        const auto count = static_cast<int>(batches.size());
        if (positives >= count) {
          for (const auto& [index, times] : seen) EXPECT_EQ(times, 1) << index;
          EXPECT_LE(most, 2 + positives * batch_size / 100) << "they are spread evenly";
        } else {
          EXPECT_EQ(most, 1);
          for (const auto& [index, times] : seen) {
            const int fair = index % every == 0 ? (count + positives - 1) / positives : 1;
            EXPECT_LE(times, fair) << index;
          }
        }
      }
    }
  }
}

TEST(LoaderTest, PutsAPositiveIntoEveryPairOfSingleImages) {
  for (const int count : {100, 101}) {
    for (const int every : {50, 25, 4, 2}) {
      const auto set = make_images<std::uint8_t>(count, 1, 2, 2, every);
      Loader loader(set, all_of(set),
                    {.batch_size = 1, .shuffle = true, .balance_positives = true});
      std::vector<std::int64_t> labels;
      for (const auto& batch : run_epoch(loader, 1)) labels.push_back(batch.labels.item<long>());
      ASSERT_EQ(static_cast<int>(labels.size()), count);
      for (std::size_t i = 0; i + 1 < labels.size(); i += 2) {
        EXPECT_EQ(labels[i] + labels[i + 1], 1) << every << ", batch " << i;
      }
      const auto positives = std::accumulate(labels.begin(), labels.end(), std::int64_t{0});
      EXPECT_EQ(positives, (count + 1) / 2) << "the negatives are trained on as well";
    }
  }
}

TEST(LoaderTest, TakesNoMemoryForABatchLargerThanTheSet) {
  const auto set = make_images<std::uint8_t>(3, 1, 2, 2, 2);
  Loader loader(set, all_of(set), {.batch_size = 1 << 20});
  loader.start_epoch(0);
  const auto batch = loader.next();
  EXPECT_EQ(batch->images.size(0), 3);
  EXPECT_EQ(batch->images.storage().nbytes(), 3 * 4 * sizeof(float));
}

TEST(LoaderTest, ShufflesInsideABalancedBatch) {
  const auto set = make_images<std::uint8_t>(160, 1, 2, 2, 16);
  Loader loader(set, all_of(set), {.batch_size = 16, .shuffle = true, .balance_positives = true});
  std::set<std::int64_t> places;
  for (const auto& batch : run_epoch(loader, 0)) {
    places.insert(batch.labels.argmax().item<std::int64_t>());
  }
  EXPECT_GT(places.size(), 3U);
}

constexpr AugmentOptions strong_augmentation{
    .flip = true, .degrees = 30, .shift = 0.1, .zoom = 0.2, .brightness = 0.3, .contrast = 0.4};

/// Every image of an epoch, by its index and the time it comes for.
std::map<std::pair<std::int64_t, int>, torch::Tensor> images_by_index(Loader& loader, int epoch) {
  std::map<std::pair<std::int64_t, int>, torch::Tensor> images;
  std::map<std::int64_t, int> times;
  for (const auto& batch : run_epoch(loader, epoch)) {
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      const auto index = batch.indices[i];
      images[{index, times[index]++}] = batch.images[static_cast<std::int64_t>(i)].clone();
    }
  }
  return images;
}

TEST(LoaderTest, AugmentsBeforeItNormalises) {
  const Normalization normalization{{0.4F, 0.5F, 0.3F}, {0.2F, 0.25F, 0.3F}};
  const auto check = [&]<typename Pixel>(Pixel) {
    auto set = make_images<Pixel>(11, 3, 5, 7, 3);
    const LoaderOptions options{.batch_size = 4,
                                .shuffle = true,
                                .augment = strong_augmentation,
                                .channels_last = true,
                                .seed = 9,
                                .normalization = normalization};
    Loader loader(set, all_of(set), options);
    const auto batches = run_epoch(loader, 2);
    std::vector<Pixel> changed(static_cast<std::size_t>(set.size() * set.image_values()));
    for (std::int64_t i = 0; i < set.size(); ++i) {
      augment(reinterpret_cast<const Pixel*>(set.image(i).data()),
              changed.data() + i * set.image_values(), set.channels, set.height, set.width,
              draw_augmentation(strong_augmentation, 9, 2, i, 0));
    }
    set.pixels = std::as_bytes(std::span(changed));
    for (const auto& batch : batches) {
      EXPECT_TRUE(torch::allclose(batch.images.to(torch::kFloat64),
                                  expected_images(set, batch.indices, normalization), 1e-5, 1e-6));
    }
  };
  check(std::uint8_t{});
  check(std::uint16_t{});
}

TEST(LoaderTest, AugmentsByIndexWhateverTheBatch) {
  for (const bool balance : {false, true}) {
    const auto set = make_images<std::uint8_t>(101, 1, 6, 5, balance ? 50 : 9);
    std::map<std::pair<std::int64_t, int>, torch::Tensor> reference;
    for (const auto& [batch_size, workers] :
         std::vector<std::pair<int, int>>{{8, 0}, {8, 3}, {1, 0}, {5, 1}, {101, 2}}) {
      Loader loader(set, all_of(set),
                    {.batch_size = batch_size,
                     .shuffle = true,
                     .balance_positives = balance,
                     .augment = strong_augmentation,
                     .workers = workers,
                     .seed = 4});
      const auto images = images_by_index(loader, 1);
      if (reference.empty()) reference = images;
      // Which images come how often depends on the batches where they are balanced.
      std::size_t shared = 0;
      for (const auto& [key, image] : images) {
        const auto found = reference.find(key);
        if (found == reference.end()) continue;
        ++shared;
        EXPECT_TRUE(torch::equal(image, found->second)) << key.first << ", time " << key.second;
      }
      EXPECT_GT(shared, balance ? 2U : 100U);
    }
  }
}

TEST(LoaderTest, VariesAnImageThatIsRepeated) {
  const auto set = make_images<std::uint8_t>(64, 1, 6, 5, 64);
  Loader loader(
      set, all_of(set),
      {.batch_size = 8, .shuffle = true, .balance_positives = true, .augment = {.degrees = 30}});
  const auto images = images_by_index(loader, 0);
  ASSERT_TRUE(images.contains({0, 7})) << "the only positive is in all eight batches";
  for (int time = 1; time < 8; ++time) {
    EXPECT_FALSE(torch::equal(images.at({0, 0}), images.at({0, time})));
  }
}

TEST(LoaderTest, VariesAnImageFromEpochToEpoch) {
  const auto set = make_images<std::uint8_t>(20, 1, 6, 5, 5);
  Loader loader(set, all_of(set), {.batch_size = 8, .augment = strong_augmentation});
  const auto first = images_by_index(loader, 0);
  const auto second = images_by_index(loader, 1);
  const auto again = images_by_index(loader, 0);
  for (const auto& [key, image] : first) {
    EXPECT_FALSE(torch::equal(image, second.at(key)));
    EXPECT_TRUE(torch::equal(image, again.at(key)));
  }
}

TEST(LoaderTest, MirrorsAboutHalfOfTheImages) {
  const auto set = make_images<std::uint8_t>(200, 1, 3, 4, 5);
  Loader plain(set, all_of(set), {.batch_size = 200});
  Loader flipping(set, all_of(set), {.batch_size = 200, .augment = {.flip = true}, .seed = 1});
  const auto images = run_epoch(plain, 0).at(0).images;
  std::set<int> counts;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto mirrored = run_epoch(flipping, epoch).at(0).images;
    int count = 0;
    for (int i = 0; i < 200; ++i) {
      if (torch::equal(mirrored[i], images[i].flip({2}))) {
        ++count;
      } else {
        EXPECT_TRUE(torch::equal(mirrored[i], images[i]));
      }
    }
    EXPECT_NEAR(count, 100, 35);
    counts.insert(count);
  }
  EXPECT_GT(counts.size(), 1U);
}

TEST(LoaderTest, LeavesABatchAloneThatIsStillHeld) {
  const auto set = make_images<std::uint8_t>(64, 1, 4, 4, 5);
  for (const int workers : {0, 2}) {
    Loader loader(set, all_of(set), {.batch_size = 4, .workers = workers});
    loader.start_epoch(0);
    const auto held = loader.next()->images.slice(0, 1, 3);  // only a view of it
    const auto copy = held.clone();
    while (loader.next()) {
    }
    EXPECT_TRUE(torch::equal(held, copy));
  }
}

TEST(LoaderTest, UsesItsBuffersAgain) {
  const auto set = make_images<std::uint8_t>(64, 1, 4, 4, 5);
  Loader loader(set, all_of(set), {.batch_size = 4});
  loader.start_epoch(0);
  std::set<const void*> places;
  while (auto batch = loader.next()) places.insert(batch->images.data_ptr());
  EXPECT_EQ(places.size(), 2U);
}

TEST(LoaderTest, GivesUpAnEpochHalfWay) {
  const auto set = make_images<std::uint8_t>(64, 1, 4, 4, 5);
  for (const int workers : {0, 3}) {
    Loader loader(set, all_of(set), {.batch_size = 4, .shuffle = true, .workers = workers});
    const auto whole = run_epoch(loader, 7);
    loader.start_epoch(8);
    loader.next();
    loader.start_epoch(7);
    EXPECT_EQ(loader.next()->indices, whole[0].indices);
    Loader moved = std::move(loader);
    EXPECT_EQ(moved.next()->indices, whole[1].indices);
  }
}

// at::set_num_threads in any thread sets what a thread that has not computed yet begins with: a
// loader that called it in its own threads would slow the training down.
TEST(LoaderTest, LeavesTheNumberOfThreadsAlone) {
  const auto set = make_images<std::uint8_t>(16, 1, 4, 4, 5);
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  Loader loader(set, all_of(set), {.batch_size = 4, .workers = 2});
  run_epoch(loader, 0);
  int elsewhere = 0;
  std::jthread([&] { elsewhere = at::get_num_threads(); }).join();
  EXPECT_EQ(elsewhere, 2);
  EXPECT_EQ(at::get_num_threads(), 2);
  at::set_num_threads(before);
}

TEST(LoaderTest, RefusesWhatMakesNoSense) {
  const auto set = make_images<std::uint8_t>(4, 1, 2, 2, 2);
  EXPECT_THROW(Loader(set, {0}, {.batch_size = 0}), UsageError);
  EXPECT_THROW(Loader(set, {0}, {.batch_size = -3}), UsageError);
  EXPECT_THROW(Loader(set, {0}, {.workers = -1}), UsageError);
  EXPECT_THROW(Loader(set, {0}, {.balance_positives = true}), UsageError);
  EXPECT_THROW(Loader(set, {0}, {.augment = {.degrees = 720}}), UsageError);
  EXPECT_THROW(Loader(set, {4}, {}), Error);
  EXPECT_THROW(Loader(set, {-1}, {}), Error);
  EXPECT_THROW(Loader(set, {}, {}), Error);
  EXPECT_THROW(Loader(set, {1, 3}, {.shuffle = true, .balance_positives = true}), Error);
  EXPECT_THROW(Loader(set, {0}, {.normalization = {{0.F}, {0.F}}}), UsageError);
  EXPECT_THROW(Loader(set, {0}, {.normalization = {{0.F, 0.F}, {1.F, 1.F}}}), UsageError);
}

}  // namespace
}  // namespace mpbench::data
