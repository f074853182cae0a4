#include "mpbench/train/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>

#include "mpbench/core/error.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/train/trainer.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"
#include "support/toy_images.hpp"

namespace mpbench::train {
namespace {

namespace fs = std::filesystem;

/// Everything that has a state: scaler, average, momentum, schedule, augmentation, a partial last
/// step.
TrainConfig config_with_everything(Precision precision) {
  return {.batch_size = 8,
          .accumulate = 2,
          .epochs = 3,
          .precision = precision,
          .optimizer = {.kind = OptimizerKind::adamw, .momentum = 0.9},
          .clip_norm = 1,
          .ema_decay = 0.9,
          .loss = {.label_smoothing = 0.1},
          .schedule = {.kind = ScheduleKind::cosine, .warmup_epochs = 1},
          .seed = 4,
          .device = "cpu",
          .augment = {.flip = true, .shift = 0.1},
          .scaler = {.init_scale = 1e9, .growth_interval = 3}};
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors)
    EXPECT_TRUE(torch::equal(tensor, b.tensors.at(name))) << name;
  for (const char* key : {"scaler", "steps_done", "epochs_done", "skipped_in_a_row"})
    EXPECT_EQ(a.state.at(key), b.state.at(key)) << key;
  for (const char* key : {"steps", "images", "loss_sum", "right", "skipped"})
    EXPECT_EQ(a.state.at("epoch").at(key), b.state.at("epoch").at(key)) << key;
}

class CheckpointTest : public testing::TestWithParam<Precision> {};

TEST_P(CheckpointTest, ARunGoesOnBitForBitFromAnyStep) {
  const TemporaryFolder folder;
  const data::ImageDataset images = toy_images(96);
  const TrainConfig config = config_with_everything(GetParam());
  const auto run_on = [](Trainer& trainer, std::vector<double>& seen) {
    while (!trainer.finished() || trainer.epoch_open()) {
      (void)trainer.train_steps(1, {});
      if (!trainer.at_epoch_end()) continue;
      seen.push_back(trainer.validate({}).loss);
      const EpochResult epoch = trainer.finish_epoch();
      seen.push_back(epoch.train_loss);
      seen.push_back(static_cast<double>(epoch.skipped_steps));
    }
  };
  Trainer peace(config, images);
  std::vector<double> expected;
  run_on(peace, expected);
  const Checkpoint end = peace.checkpoint();

  for (const std::int64_t stop : {1, 4, 5, 7, 13}) {
    Trainer first(config, images);
    std::vector<double> seen;
    while (first.steps_done() < stop) {
      (void)first.train_steps(stop - first.steps_done(), {});
      if (!first.at_epoch_end() || first.steps_done() == stop) continue;
      seen.push_back(first.validate({}).loss);
      const EpochResult epoch = first.finish_epoch();
      seen.push_back(epoch.train_loss);
      seen.push_back(static_cast<double>(epoch.skipped_steps));
    }
    const fs::path path = folder.path() / "state.safetensors";
    write_checkpoint(path, first.checkpoint());
    torch::manual_seed(99);  // What else happens meanwhile must not matter.
    Trainer second(config, images);
    (void)second.warm_up();
    second.restore(read_checkpoint(path), path);
    EXPECT_EQ(second.steps_done(), stop);
    run_on(second, seen);
    EXPECT_EQ(seen, expected) << "after step " << stop;
    expect_equal(second.checkpoint(), end);
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, CheckpointTest,
                         testing::Values(Precision::fp32, Precision::bf16, Precision::fp16),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(CheckpointTest, ARunThatStepsCutGoesOnWithinItsEpoch) {
  const TemporaryFolder folder;
  const data::ImageDataset images = toy_images(96);
  TrainConfig config{.batch_size = 8, .device = "cpu"};
  const auto run = [&](std::int64_t steps, const Checkpoint* from, std::vector<double>& seen) {
    config.steps = steps;
    Trainer trainer(config, images, from != nullptr);
    if (from != nullptr) trainer.restore(*from, "state");
    Checkpoint last;
    while (!trainer.finished() || trainer.epoch_open()) {
      (void)trainer.train_steps(Trainer::all_steps, {});
      const bool cut = trainer.epoch_cut();
      last = trainer.checkpoint();
      const EpochResult epoch = trainer.finish_epoch();
      if (cut) {
        seen.push_back(epoch.train_loss);
        seen.push_back(static_cast<double>(epoch.images));
        seen.push_back(static_cast<double>(epoch.positives.value()));
        break;
      }
      last = trainer.checkpoint();
    }
    return last;
  };
  std::vector<double> ignored;
  for (const std::int64_t first : {3, 9, 13}) {
    std::vector<double> expected;
    const Checkpoint peace = run(14, nullptr, expected);
    const Checkpoint before = run(first, nullptr, ignored);
    std::vector<double> seen;
    expect_equal(run(14, &before, seen), peace);
    EXPECT_EQ(seen, expected) << "after step " << first;
  }
}

TEST(CheckpointTest, TheBestStateIsFoundAgain) {
  const TemporaryFolder folder;
  const CheckpointFolder kept(folder.path() / "checkpoints");
  const auto state = [](int epochs_done, int steps) {
    return Checkpoint{.tensors = {{"fc.weight", torch::full({2}, epochs_done)}},
                      .state = {{"epochs_done", epochs_done}, {"epoch", {{"steps", steps}}}}};
  };
  const auto best = [&] { return read_checkpoint(kept.best()).state.at("epochs_done"); };
  kept.save(state(1, 0));
  EXPECT_TRUE(kept.restore_best(1, kept.last())) << "killed before it was marked";
  EXPECT_EQ(best(), 1);
  kept.save(state(2, 0));
  EXPECT_TRUE(kept.restore_best(1, kept.last()));
  EXPECT_EQ(best(), 1) << "it is the best already";
  kept.save(state(2, 3));
  EXPECT_TRUE(kept.restore_best(2, kept.last()));
  EXPECT_EQ(best(), 2) << "from the previous state";
  kept.mark_best_within_epoch();
  EXPECT_EQ(read_checkpoint(kept.best()).state.at("/epoch/steps"_json_pointer), 3);
  EXPECT_TRUE(kept.restore_best(2, kept.last()));
  EXPECT_EQ(read_checkpoint(kept.best()).state.at("/epoch/steps"_json_pointer), 0);
  EXPECT_FALSE(fs::exists(kept.best_of_complete_epochs()));
  EXPECT_FALSE(kept.restore_best(7, kept.last()));
  EXPECT_EQ(best(), 2) << "what is there stays";
  const CheckpointFolder elsewhere(folder.path() / "other");
  EXPECT_TRUE(elsewhere.restore_best(2, kept.last())) << "the best of the run that it goes on from";
  for (const auto& entry : fs::directory_iterator(kept.last().parent_path()))
    EXPECT_NE(entry.path().extension(), ".link");
}

TEST(CheckpointTest, MarkingTheBestTwiceLeavesNothingBehind) {
  const TemporaryFolder folder;
  const CheckpointFolder kept(folder.path());
  kept.save({.tensors = {}, .state = {{"steps_done", 7}}});
  kept.mark_best();
  kept.mark_best();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2);
}

Checkpoint small_checkpoint(double value = 1) {
  return {.tensors = {{"fc.weight", torch::full({3, 5}, value)},
                      {"optimizer/step.0", torch::tensor(2.0F)},
                      {"empty", torch::empty({0, 4})}},
          .state = {{"steps_done", 7}}};
}

TEST(CheckpointTest, EveryDamagedByteIsNoticed) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "state.safetensors";
  write_checkpoint(path, small_checkpoint());
  EXPECT_EQ(read_checkpoint(path).state.at("steps_done"), 7);
  std::ifstream file(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  const auto refused = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    const auto error = thrown_by<InputError>([&] { (void)read_checkpoint(path); });
    if (error) {
      EXPECT_EQ(error->path(), path);
    }
    return error.has_value();
  };
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x01);
    // Spaces behind the header carry nothing; the others all do.
    if (whole[place] == ' ' && damaged[place] == '!') continue;
    EXPECT_TRUE(refused(damaged)) << "byte " << place;
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, whole.size() - 1})
    EXPECT_TRUE(refused(whole.substr(0, length))) << length;
}

TEST(CheckpointTest, ADamagedLastStateIsRefusedAndThePreviousOneOffered) {
  const TemporaryFolder folder;
  const CheckpointFolder kept(folder.path() / "checkpoints");
  EXPECT_FALSE(kept.load_last().has_value());
  kept.save(small_checkpoint(1));
  kept.mark_best();
  kept.save(small_checkpoint(2));
  EXPECT_EQ(kept.load_last()->tensors.at("fc.weight")[0][0].item<double>(), 2);
  EXPECT_EQ(read_checkpoint(kept.best()).tensors.at("fc.weight")[0][0].item<double>(), 1);
  fs::resize_file(kept.last(), fs::file_size(kept.last()) - 3);
  EXPECT_THAT([&] { (void)kept.load_last(); },
              ThrowsInputError(kept.last(), testing::_,
                               testing::HasSubstr("--resume-from " + kept.previous().string())))
      << "it is cut off";
  EXPECT_EQ(read_checkpoint(kept.previous()).tensors.at("fc.weight")[0][0].item<double>(), 1);
}

TEST(CheckpointTest, IsNotTakenOverByAnotherRun) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "state.safetensors";
  const data::ImageDataset images = toy_images(96);
  TrainConfig config{.batch_size = 8, .device = "cpu"};
  write_checkpoint(path, Trainer(config, images).checkpoint());
  const auto refusal = [&](const TrainConfig& other, const data::ImageDataset& set) {
    Trainer trainer(other, set);
    const auto error = thrown_by<InputError>([&] { trainer.restore(read_checkpoint(path), path); });
    return error ? error->field() : "none";
  };
  EXPECT_EQ(refusal(config, images), "none");
  TrainConfig longer = config;
  longer.epochs = 9;
  EXPECT_EQ(refusal(longer, images), "none") << "a run may be made longer";
  TrainConfig other = config;
  other.optimizer.lr = 0.5;
  EXPECT_EQ(refusal(other, images), "lr");
  other = config;
  other.weights = folder.path() / "other.pth";
  EXPECT_THROW(require_same_options(other, read_checkpoint(path), path), InputError);
  other = config;
  other.precision = Precision::bf16;
  EXPECT_EQ(refusal(other, images), "precision");
  data::ImageDataset others = images;
  others.key = "others";
  EXPECT_EQ(refusal(config, others), "data_key");
}

TEST(CheckpointTest, RefusesWhatIsNoCheckpoint) {
  const TemporaryFolder folder;
  const auto field = [](const fs::path& path) {
    const auto error = thrown_by<InputError>([&] { (void)read_checkpoint(path); });
    return error ? error->field() : "none";
  };
  EXPECT_EQ(field(folder.path() / "missing"), "file");
  const fs::path path = folder.path() / "other.safetensors";
  safetensors::Writer(path, {{.name = "a", .dtype = "U8", .shape = {0}}}, {}).commit();
  EXPECT_EQ(field(path), "mpbench_state");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  safetensors::Writer(path, {}, {{"mpbench_state", "{\"format\":" + deep + "}"}}).commit();
  EXPECT_EQ(field(path), "mpbench_state") << "printing it would overflow the stack";
}

}  // namespace
}  // namespace mpbench::train
