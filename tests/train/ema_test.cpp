#include "../../src/train/ema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <limits>
#include <stdexcept>

#include "../../src/train/optimizer.hpp"
#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"
#include "train/operator_counter.hpp"

namespace mpbench::train {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

torch::nn::Sequential make_network() {
  return torch::nn::Sequential(torch::nn::Linear(3, 2), torch::nn::BatchNorm1d(2));
}

/// Sets every parameter and buffer to `value`.
void fill(torch::nn::Sequential& network, double value) {
  const at::NoGradGuard no_grad;
  for (auto& parameter : network->parameters()) parameter.fill_(value);
  for (auto& buffer : network->buffers()) buffer.fill_(value);
}

float weight_of(torch::nn::Sequential& network) {
  return network->named_parameters()["0.weight"].view(-1)[0].item<float>();
}

float average_of(const Ema& ema, const std::string& name = "module.0.weight") {
  return ema.state().at(name).view(-1)[0].item<float>();
}

TEST(EmaTest, CopiesFirstThenAverages) {
  torch::nn::Sequential network = make_network();
  Ema ema(*network, 0.75);
  fill(network, 8);
  ema.update();
  EXPECT_EQ(average_of(ema), 8.0F);
  fill(network, 16);
  ema.update();
  EXPECT_EQ(average_of(ema), 10.0F);
  EXPECT_EQ(weight_of(network), 16.0F);
  EXPECT_EQ(ema.state().at("n_averaged").item<std::int64_t>(), 2);
}

TEST(EmaTest, AveragesRunningStatisticsAndCopiesTheirCount) {
  torch::nn::Sequential network = make_network();
  Ema ema(*network, 0.75);
  for (const double value : {8, 16}) {
    fill(network, value);
    ema.update();
  }
  EXPECT_EQ(average_of(ema, "module.1.running_var"), 10.0F);
  EXPECT_EQ(average_of(ema, "module.1.num_batches_tracked"), 16.0F);
}

TEST(EmaTest, CopiesAllCountsByOneOperator) {
  torch::nn::Sequential network(torch::nn::BatchNorm1d(2), torch::nn::BatchNorm1d(2),
                                torch::nn::BatchNorm1d(2));
  Ema ema(*network, 0.75);
  fill(network, 8);
  ema.update();
  const OperatorCounter counter;
  ema.update();
  EXPECT_EQ(counter.of("aten::_foreach_copy_"), 1);
  EXPECT_EQ(counter.of("aten::_foreach_lerp_"), 1);
}

TEST(EmaTest, GoesOnFromItsState) {
  torch::nn::Sequential network = make_network();
  Ema before(*network, 0.5);
  fill(network, 1);
  before.update();
  Ema after(*network, 0.5);
  fill(network, 3);
  after.load_state(before.state());
  after.update();
  EXPECT_EQ(average_of(after), 2.0F);
  EXPECT_EQ(average_of(before), 1.0F);
}

TEST(EmaTest, RefusesAnotherState) {
  torch::nn::Sequential network = make_network();
  Ema ema(*network, 0.5);
  const auto refuses = [&](const char* message, auto change) {
    auto state = ema.state();
    change(state);
    EXPECT_THAT([&] { ema.load_state(state); }, ThrowsWith<Error>(message));
  };
  refuses("n_averaged is missing", [](auto& state) { state.erase("n_averaged"); });
  refuses("module.0.bias has the wrong shape",
          [](auto& state) { state["module.0.bias"] = at::zeros({5}); });
  refuses("n_averaged is Float", [](auto& state) { state["n_averaged"] = at::ones({}); });
  refuses("extra does not belong", [](auto& state) { state["extra"] = at::ones({}); });
  refuses("n_averaged is below 0",
          [](auto& state) { state["n_averaged"] = at::full({}, -1, at::kLong); });
}

TEST(EmaTest, RefusesADecayThatMakesNoSense) {
  torch::nn::Sequential network = make_network();
  for (const double bad : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT([&] { Ema(*network, bad); }, ThrowsMessage<UsageError>(HasSubstr("--ema-decay")));
  }
}

class EmaWeightsGuardTest : public ::testing::Test {
 protected:
  EmaWeightsGuardTest() {
    fill(network_, 1);
    ema_.update();
    fill(network_, 5);
  }

  torch::nn::Sequential network_ = make_network();
  Ema ema_{*network_, 0.5};
};

TEST_F(EmaWeightsGuardTest, PutsTheAveragesInAndTheWeightsBack) {
  const auto input = at::ones({1, 3});
  network_->eval();
  const auto trained = network_->forward(input);
  {
    const EmaWeightsGuard guard(ema_);
    EXPECT_EQ(weight_of(network_), 1.0F);
    EXPECT_EQ(network_->named_buffers()["1.running_mean"][0].item<float>(), 1.0F);
    torch::nn::Sequential averaged = make_network();
    fill(averaged, 1);
    averaged->eval();
    EXPECT_TRUE(network_->forward(input).equal(averaged->forward(input)));
  }
  EXPECT_TRUE(network_->forward(input).equal(trained));
  EXPECT_EQ(average_of(ema_), 1.0F);
}

TEST_F(EmaWeightsGuardTest, PutsTheWeightsBackAfterAnException) {
  EXPECT_THROW(
      {
        const EmaWeightsGuard guard(ema_);
        throw std::runtime_error("validation failed");
      },
      std::runtime_error);
  EXPECT_EQ(weight_of(network_), 5.0F);
  ema_.update();
  EXPECT_EQ(average_of(ema_), 3.0F);
}

TEST_F(EmaWeightsGuardTest, ChangesNoMemoryThatTheOptimizerHolds) {
  const at::Tensor weight = network_->named_parameters()["0.weight"];
  const void* const memory = weight.data_ptr();
  const auto optimizer =
      make_optimizer(network_->parameters(), {.kind = OptimizerKind::sgd, .lr = 1.0});
  { const EmaWeightsGuard guard(ema_); }
  EXPECT_EQ(weight.data_ptr(), memory);
  EXPECT_TRUE(weight.requires_grad());
  network_->train();
  network_->forward(at::randn({4, 3})).pow(2).sum().backward();
  ASSERT_TRUE(weight.grad().defined());
  const at::Tensor before = weight.detach().clone();
  optimizer->step(nullptr);
  EXPECT_TRUE(weight.equal(before - weight.grad()));
  EXPECT_EQ(average_of(ema_), 1.0F);
}

TEST_F(EmaWeightsGuardTest, KeepsTheMemoryFormat) {
  torch::nn::Sequential network(torch::nn::Conv2d(3, 4, 3));
  at::Tensor weight = network->parameters().front();
  weight.set_data(weight.contiguous(at::MemoryFormat::ChannelsLast));
  Ema ema(*network, 0.5);
  ema.update();
  const EmaWeightsGuard guard(ema);
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_F(EmaWeightsGuardTest, PutsTiedWeightsBack) {
  const torch::nn::Linear layer(2, 2);
  torch::nn::Sequential network(layer, layer);
  Ema ema(*network, 0.5);
  fill(network, 1);
  ema.update();
  fill(network, 5);
  { const EmaWeightsGuard guard(ema); }
  EXPECT_EQ(weight_of(network), 5.0F);
}

TEST_F(EmaWeightsGuardTest, NeitherUpdatesNorNests) {
  const EmaWeightsGuard guard(ema_);
  EXPECT_THROW(ema_.update(), Error);
  EXPECT_THROW(EmaWeightsGuard{ema_}, Error);
  EXPECT_EQ(weight_of(network_), 1.0F);
}

}  // namespace
}  // namespace mpbench::train
