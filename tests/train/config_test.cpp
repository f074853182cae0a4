#include "mpbench/train/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <thread>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/train/setup.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::train {
namespace {

using testing::HasSubstr;

TEST(TrainConfigTest, DefaultsAreValid) { EXPECT_NO_THROW(validate(TrainConfig{})); }

TEST(TrainConfigTest, NamesTheOptionThatMakesNoSense) {
  const std::vector<std::pair<std::string, std::function<void(TrainConfig&)>>> mistakes{
      {"--batch-size", [](auto& c) { c.batch_size = -1; }},
      {"--batch-size", [](auto& c) { c.batch_size = 0; }},
      {"--epochs", [](auto& c) { c.epochs = 0; }},
      {"--steps", [](auto& c) { c.steps = -1; }},
      {"--limit", [](auto& c) { c.data.limit = -5; }},
      {"--image-size", [](auto& c) { c.image_size = 3; }},
      {"--schedule", [](auto& c) { set_option(c, "schedule", "linear"); }},
      {"--balance", [](auto& c) { set_option(c, "balance", "yes"); }},
      {"--validation-fraction", [](auto& c) { c.split.validation_fraction = 1; }},
      {"--augment-degrees", [](auto& c) { c.augment.degrees = 200; }},
      {"--augment-shift", [](auto& c) { c.augment.shift = -0.1; }},
      {"--augment-zoom", [](auto& c) { c.augment.zoom = std::nan(""); }},
      {"--augment-brightness", [](auto& c) { c.augment.brightness = 25; }},
      {"--augment-contrast", [](auto& c) { c.augment.contrast = 2; }},
      {"--folds", [](auto& c) { c.split.folds = 1; }},
      {"--folds", [](auto& c) { c.split.folds = -2; }},
      {"--fold", [](auto& c) { c.split.fold = 1; }},
      {"--fold", [](auto& c) { c.split.folds = 5, c.split.fold = 5; }},
      {"--fold", [](auto& c) { c.split.folds = 5, c.split.fold = -1; }},
      {"--init-scale", [](auto& c) { c.scaler.init_scale = 0; }},
      {"--init-scale", [](auto& c) { c.scaler.init_scale = 1e300; }},
      {"--init-scale", [](auto& c) { c.scaler.init_scale = 1e-300; }},
      {"--init-scale", [](auto& c) { c.scaler.init_scale = std::nan(""); }},
      {"--growth-interval", [](auto& c) { c.scaler.growth_interval = 0; }},
      {"--growth-interval", [](auto& c) { c.scaler.growth_interval = std::int64_t{1} << 31; }},
      {"--stall-steps", [](auto& c) { c.stall_steps = 0; }},
      {"--seed", [](auto& c) { c.seed = std::uint64_t{1} << 63; }},
      {"--seed", [](auto& c) { c.seed = std::uint64_t(-1); }},
      {"--lr", [](auto& c) { c.optimizer.lr = 0; }},
      {"--lr", [](auto& c) { c.optimizer.lr = 1e300; }},
      {"--lr", [](auto& c) { c.optimizer.lr = 1e-300; }},
      {"--lr", [](auto& c) { c.optimizer.lr = std::nan(""); }},
      {"--lr", [](auto& c) { c.optimizer.lr = HUGE_VAL; }},
      {"--weight-decay", [](auto& c) { c.optimizer.weight_decay = -1; }},
      {"--weight-decay", [](auto& c) { c.optimizer.weight_decay = 1e300; }},
      {"--momentum", [](auto& c) { c.optimizer.momentum = 1; }},
      {"--momentum",
       [](auto& c) { c.optimizer.kind = OptimizerKind::sgd, c.optimizer.momentum = -0.1; }},
      {"--nesterov", [](auto& c) { c.optimizer.nesterov = true; }},
      {"--nesterov",
       [](auto& c) {
         c.optimizer.kind = OptimizerKind::sgd, c.optimizer.nesterov = true,
         c.optimizer.momentum = 0;
       }},
      {"--clip-norm", [](auto& c) { c.clip_norm = 1e300; }},
      {"--clip-norm", [](auto& c) { c.clip_norm = 1e-300; }},
      {"--clip-norm", [](auto& c) { c.clip_norm = -1; }},
      {"--ema-decay", [](auto& c) { c.ema_decay = 1; }},
      {"--focal-gamma", [](auto& c) { c.loss.focal_gamma = 1e300; }},
      {"--focal-alpha", [](auto& c) { c.focal_alpha = 2; }},
      {"--label-smoothing", [](auto& c) { c.loss.label_smoothing = 1; }},
      {"--min-lr", [](auto& c) { c.schedule.min_lr = 1; }},
      {"--warmup-epochs", [](auto& c) { c.schedule.warmup_epochs = std::nan(""); }},
      {"--unfreeze-epoch", [](auto& c) { c.unfreeze_epoch = 2; }},
      {"--threads", [](auto& c) { c.threads = 5000; }},
      {"--workers", [](auto& c) { c.workers = 257; }},
      {"--batch-size", [](auto& c) { c.batch_size = (1 << 20) + 1; }},
      {"--dataset cifar10", [](auto& c) { c.data.dataset = "cifar10"; }},
      {"--batch-size 1",
       [](auto& c) { c.model.name = "resnet18", c.batch_size = 1, c.image_size = 32; }},
      {"model 'vgg'", [](auto& c) { c.model.name = "vgg"; }},
      {"adagrad", [](auto& c) { set_option(c, "optimizer", "adagrad"); }},
  };
  for (const auto& [name, spoil] : mistakes) {
    TrainConfig config;
    const auto use = [&] {
      spoil(config);
      validate(config);
    };
    EXPECT_THAT(use, testing::ThrowsMessage<UsageError>(HasSubstr(name)));
  }
}

TEST(TrainConfigTest, AFrozenBackboneTakesSingleImages) {
  TrainConfig config{
      .model = {.name = "resnet18"}, .freeze_backbone = true, .image_size = 32, .batch_size = 1};
  EXPECT_NO_THROW(validate(config));
  config.unfreeze_epoch = 2;
  EXPECT_THROW(validate(config), UsageError);
}

TEST(TrainConfigTest, KnowsTheClassesOfCifarBeforeItIsRead) {
  const TemporaryFolder folder;
  for (const Balance balance : {Balance::positives, Balance::weight}) {
    EXPECT_THAT(
        ([&] {
          validate({.data = {.dataset = "cifar100", .path = folder.path()}, .balance = balance});
        }),
        testing::ThrowsMessage<UsageError>(
            testing::AllOf(HasSubstr("--balance"), HasSubstr("100"))));
  }
  EXPECT_NO_THROW(validate({.data = {.dataset = "cifar100", .path = folder.path()}}));
}

TEST(TrainConfigTest, TheLargestSeedReadsBackFromToml) {
  const std::string toml = to_toml({.seed = largest_seed});
  EXPECT_THAT(toml, HasSubstr("seed = 9223372036854775807\n"));
  EXPECT_NO_THROW(validate({.seed = largest_seed}));
}

TEST(TrainConfigTest, MissesASplitFileAtOnce) {
  EXPECT_THAT([] { validate({.split = {.file = "/nowhere/split.csv"}}); },
              testing::ThrowsMessage<InputError>(HasSubstr("/nowhere/split.csv")));
}

TEST(TrainConfigTest, TomlHasEveryOptionUnderItsFlagsName) {
  const TrainConfig config{.precision = Precision::bf16, .optimizer = {.lr = 3e-4}};
  const std::string toml = to_toml(config);
  EXPECT_THAT(toml, HasSubstr("precision = \"bf16\""));
  EXPECT_THAT(toml, HasSubstr("lr = 0.0003"));
  EXPECT_THAT(toml, HasSubstr("channels-last = true"));
  int options = 0;
  visit_options(config, [&](const std::string& name, const auto&, const char*) {
    EXPECT_THAT(toml, HasSubstr(name + " = ")) << name;
    ++options;
  });
  EXPECT_EQ(std::count(toml.begin(), toml.end(), '='), options);
}

TEST(ConfigHashTest, ChangesWithOptionsAndDataButNotWithThePath) {
  const TrainConfig config{.data = {.path = "a"}};
  EXPECT_EQ(config_hash(config, "k"), config_hash({.data = {.path = "b"}}, "k"));
  EXPECT_NE(config_hash(config, "k"), config_hash(config, "other"));
  EXPECT_NE(config_hash(config, "k"), config_hash({.data = {.path = "a"}, .seed = 1}, "k"));
  EXPECT_EQ(config_hash(config, "k").size(), 12U);
}

TEST(ConfigHashTest, KnowsTheSplitOfEarlierVersionsByTheirSeed) {
  const auto hash = [](std::uint64_t seed, std::uint64_t split_seed) {
    return config_hash({.seed = seed, .split = {.seed = split_seed}}, "k");
  };
  EXPECT_NE(hash(5, 0), hash(5, 5));
  EXPECT_NE(hash(5, 0), hash(6, 0));
  EXPECT_NE(config_hash({.handicap = 0.5}, "k"), config_hash({}, "k"));
}

TEST(TrainConfigTest, PairingHashIsThatOfRunsThatMayBeCompared) {
  const auto hash = [](const TrainConfig& config) { return pairing_hash(config, "k", ""); };
  const std::string baseline = hash({});
  EXPECT_EQ(hash({.precision = Precision::bf16}), baseline);
  EXPECT_EQ(hash({.seed = 3}), baseline);
  EXPECT_EQ(hash({.precision = Precision::fp16, .scaler = {.init_scale = 8}}), baseline)
      << "the other arm has no scaler";
  EXPECT_NE(hash({.epochs = 7}), baseline);
  EXPECT_NE(hash({.optimizer = {.lr = 0.5, .momentum = 0.9}}), baseline);
  EXPECT_NE(pairing_hash({}, "other", ""), baseline);
  EXPECT_NE(pairing_hash({}, "k", "weights"), baseline);
}

TEST(ConfigHashTest, StandsForWhatTheSplitFileSays) {
  const TemporaryFolder folder;
  const auto hash = [&](const char* name, const char* text) {
    write_file(folder.path() / name, text);
    return config_hash({.split = {.file = folder.path() / name}}, "k");
  };
  EXPECT_EQ(hash("a.csv", "id,split\n1,train\n"), hash("b.csv", "id,split\n1,train\n"));
  EXPECT_NE(hash("a.csv", "id,split\n1,train\n"), hash("a.csv", "id,split\n1,validation\n"));
  EXPECT_NE(hash("a.csv", ""), config_hash({}, "k"));
}

TEST(WorkersTest, FollowTheDeviceUnlessTheUserNamesANumber) {
  TrainConfig config;
  EXPECT_EQ(workers_of(config, c10::Device("cpu")), 1);
  const int on_cuda = workers_of(config, c10::Device("cuda:0"));
  EXPECT_GE(on_cuda, 1);
  EXPECT_LE(on_cuda, 8);
  if (std::thread::hardware_concurrency() >= 16) {
    EXPECT_EQ(on_cuda, 8);
  }
  EXPECT_EQ(loader_options(config, c10::Device("cpu"), {}).workers, 1);
  for (const int named : {0, 1, 3}) {
    config.workers = named;
    for (const char* device : {"cpu", "cuda:0"}) {
      EXPECT_EQ(workers_of(config, c10::Device(device)), named);
    }
  }
}

}  // namespace
}  // namespace mpbench::train
