#include "mpbench/train/ineffective_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::train {
namespace {

using testing::HasSubstr;

struct Idle {
  const char* option;
  const char* needs;
  std::function<void(TrainConfig&)> set;     ///< to something else than the default
  std::function<void(TrainConfig&)> enable;  ///< what it needs
};

const std::vector<Idle>& idle_options() {
  const auto efficientnet = [](auto& c) { c.model.name = "efficientnet-b0"; };
  const auto sgd = [](auto& c) { c.optimizer.kind = OptimizerKind::sgd; };
  const auto focal = [](auto& c) { c.loss.kind = LossKind::focal; };
  const auto fp16 = [](auto& c) { c.precision = Precision::fp16; };
  static const std::vector<Idle> all{
      {"--activation", "EfficientNet", [](auto& c) { c.model.activation = "relu6"; }, efficientnet},
      {"--se", "EfficientNet", [](auto& c) { c.model.squeeze_excite = "textbook"; }, efficientnet},
      {"--momentum", "--optimizer sgd", [](auto& c) { c.optimizer.momentum = 0.8; }, sgd},
      {"--nesterov", "--optimizer sgd", [](auto& c) { c.optimizer.nesterov = true; }, sgd},
      {"--focal-gamma", "--loss focal", [](auto& c) { c.loss.focal_gamma = 1; }, focal},
      {"--focal-alpha", "--loss focal", [](auto& c) { c.focal_alpha = 0.5; }, focal},
      {"--min-lr", "--schedule cosine", [](auto& c) { c.schedule.min_lr = 1e-5; },
       [](auto& c) { c.schedule.kind = ScheduleKind::cosine; }},
      {"--init-scale", "fp16", [](auto& c) { c.scaler.init_scale = 2; }, fp16},
      {"--growth-interval", "fp16", [](auto& c) { c.scaler.growth_interval = 2; }, fp16},
      {"--stall-steps", "fp16", [](auto& c) { c.stall_steps = 2; }, fp16},
      {"--emulation", "bf16", [](auto& c) { c.emulation = kernels::Emulation::framework; },
       [](auto& c) { c.precision = Precision::bf16; }},
  };
  return all;
}

TEST(IneffectiveOptionsTest, AreRefusedByName) {
  for (const Idle& idle : idle_options()) {
    TrainConfig config;
    idle.set(config);
    EXPECT_THAT([&] { require_effect(std::array{config}); },
                ThrowsWith<UsageError>(idle.option, idle.needs));
    idle.enable(config);
    EXPECT_NO_THROW(require_effect(std::array{config})) << idle.option;
  }
}

TEST(IneffectiveOptionsTest, OfOtherKinds) {
  const auto refused = [](const char* option, TrainConfig config) {
    EXPECT_THAT([&] { require_effect(std::array{config}); }, ThrowsWith<UsageError>(option));
  };
  refused("--validation-fraction", {.split = {.validation_fraction = 0.5, .folds = 5}});
  refused("--kernels", {.device = "cuda", .kernels = "avx2"});
  refused("--depthwise", {.device = "cuda:1", .depthwise = kernels::DepthwiseBackend::fp32});
  refused(
      "--emulation",
      {.precision = Precision::bf16, .device = "cuda", .emulation = kernels::Emulation::framework});
  EXPECT_NO_THROW(require_effect(std::array{TrainConfig{}}));
}

TEST(IneffectiveOptionsTest, AtTheirDefaultsWhereTheyAreNamed) {
  const TrainConfig config;
  EXPECT_THAT([&] { require_effect(std::array{config}, {"momentum"}); },
              testing::ThrowsMessage<UsageError>(HasSubstr("--momentum 0.9")));
  EXPECT_NO_THROW(require_effect(std::array{config}, {"min-lr", "nesterov", "lr", "emulation"}))
      << "what is off is off";
}

TEST(IneffectiveOptionsTest, MayBeForAnotherArm) {
  TrainConfig fp32{.scaler = {.init_scale = 1024}};
  TrainConfig fp16 = fp32;
  fp16.precision = Precision::fp16;
  EXPECT_NO_THROW(require_effect(std::array{fp32, fp16}, {"init-scale"}));
  EXPECT_EQ(without_ineffective(fp32).scaler.init_scale, TrainConfig{}.scaler.init_scale);
  EXPECT_EQ(without_ineffective(fp16).scaler.init_scale, 1024);
  for (const Idle& idle : idle_options()) {
    TrainConfig config;
    idle.set(config);
    EXPECT_NO_THROW(require_effect(std::array{without_ineffective(config)})) << idle.option;
  }
}

}  // namespace
}  // namespace mpbench::train
