#include "mpbench/train/evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <limits>
#include <numeric>

#include "../../src/nn/models/cnn.hpp"
#include "../../src/train/step.hpp"
#include "mpbench/train/errors.hpp"
#include "support/toy_images.hpp"
#include "train/operator_counter.hpp"

namespace mpbench::train {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A network whose logits are a given function of the images.
class GivenLogits : public nn::ImageClassifier {
 public:
  explicit GivenLogits(std::function<torch::Tensor(const torch::Tensor&)> logits)
      : logits_(std::move(logits)) {}
  torch::Tensor forward(torch::Tensor images) override { return logits_(images); }
  std::string stem() const override { return ""; }
  std::string head() const override { return ""; }

 private:
  std::function<torch::Tensor(const torch::Tensor&)> logits_;
};

torch::Tensor brightness(const torch::Tensor& images) {
  return images.mean({1, 2, 3}).unsqueeze(1);
}

ValidationResult judge(const data::ImageDataset& images,
                       std::function<torch::Tensor(const torch::Tensor&)> logits) {
  std::vector<std::int64_t> all(images.samples.size());
  std::iota(all.begin(), all.end(), 0);
  data::Loader loader(images, all, {.batch_size = 8});
  GivenLogits model(std::move(logits));
  return evaluate(model, loader, Loss{{.task = Task::binary}}, Precision::fp32, images, {});
}

// In float32 the sigmoid of every one of these logits is 1, in float64 that of those above 37.
TEST(EvaluationTest, RanksByLogitsWhereProbabilitiesRoundToOne) {
  const data::ImageDataset images = toy_images(64);
  const auto by = [&](double base, double factor) {
    return judge(images, [=](const torch::Tensor& x) { return base + factor * brightness(x); });
  };
  const ValidationResult moderate = by(0, 1);
  EXPECT_GT(moderate.auc.value(), 0.95);
  for (const double base : {20.0, 100.0, 1e4, -1e4}) {
    const ValidationResult saturated = by(base, 100);
    EXPECT_EQ(saturated.auc, moderate.auc) << base;
    EXPECT_EQ(saturated.case_auc, by(base, 1000).case_auc) << base;
    EXPECT_GT(saturated.case_auc.value(), 0.95) << base;
  }
  EXPECT_EQ(by(3, 0).auc, 0.5) << "the same for all: nothing is ranked";
  EXPECT_EQ(by(3, 0).case_auc, 0.5);
}

TEST(EvaluationTest, KeepsProbabilitiesInDouble) {
  const ValidationResult result = judge(toy_images(8), [](const torch::Tensor& x) {
    return torch::full({x.size(0), 1}, 20.0);
  });
  EXPECT_DOUBLE_EQ(1 - result.predictions.front().score, 1 - 1 / (1 + std::exp(-20.0)));
  EXPECT_LT(result.predictions.front().score, 1);
  EXPECT_EQ(result.predictions.front().logit, 20);
}

TEST(EvaluationTest, AnOutputThatIsNotFiniteIsNoClass) {
  const data::ImageDataset images = toy_images(64);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    int batch = 0;
    const auto planted = [&](const torch::Tensor& x) {
      torch::Tensor logits = brightness(x);
      if (++batch == 3) logits[5][0] = bad;
      return logits;
    };
    EXPECT_THAT([&] { (void)judge(images, planted); },
                ThrowsMessage<Diverged>(HasSubstr("output for image 21 is not finite")));
  }
}

// Each batch forward, judged and read by itself.
TEST(EvaluationTest, ReadsManyBatchesAtOnceWithoutAnotherValue) {
  data::ImageDataset images = toy_images(600);
  std::vector<std::int64_t> all(images.samples.size());
  std::iota(all.begin(), all.end(), 0);
  for (const int classes : {2, 3}) {
    const Loss loss{{.task = task_of(classes)}};
    images.classes.resize(static_cast<std::size_t>(classes), "other");
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp16}) {
      torch::manual_seed(3);
      nn::Cnn model(1, outputs_of(classes));
      data::Loader loader(images, all, {.batch_size = 2});  // more batches than are read together
      const ValidationResult result = evaluate(model, loader, loss, precision, images, {});
      ASSERT_EQ(result.predictions.size(), images.samples.size());
      double loss_sum = 0;
      auto prediction = result.predictions.begin();
      loader.start_epoch(0);
      while (const auto batch = loader.next()) {
        const torch::InferenceMode inference;
        const torch::Tensor logits = forward(model, batch->images, precision);
        loss_sum += loss(logits, batch->labels).item<double>() * 2;
        const torch::Tensor scores = probabilities(loss.task, logits);
        const torch::Tensor chosen = predicted_class(loss.task, logits);
        for (int i = 0; i < 2; ++i, ++prediction) {
          EXPECT_EQ(prediction->index, batch->indices[static_cast<std::size_t>(i)]);
          EXPECT_EQ(prediction->predicted, chosen[i].item<int>());
          const torch::Tensor score =
              classes == 2 ? scores[i] : scores[i][batch->labels[i].item<std::int64_t>()];
          EXPECT_EQ(prediction->score, score.item<double>());
          if (classes == 2) {
            EXPECT_EQ(prediction->logit, logits[i].item<double>());
          }
        }
      }
      EXPECT_EQ(result.loss, loss_sum / static_cast<double>(images.samples.size()));
    }
  }
}

TEST(EvaluationTest, CastsTheWeightsOnce) {
  const data::ImageDataset images = toy_images(64);
  nn::Cnn model(1, 1);
  const auto casts = [&](std::size_t count) {
    std::vector<std::int64_t> some(count);
    std::iota(some.begin(), some.end(), 0);
    data::Loader loader(images, some, {.batch_size = 8});
    const OperatorCounter counter;
    (void)evaluate(model, loader, Loss{{.task = Task::binary}}, Precision::bf16, images, {});
    return counter.of("aten::_to_copy");
  };
  const int a_batch = casts(16) - casts(8);
  EXPECT_EQ(casts(24) - casts(16), a_batch);
  EXPECT_GE(casts(8) - a_batch, 5) << "four convolutions and the linear layer";
}

TEST(EvaluationTest, OneClassHasNoAreaAndNoF1) {
  data::ImageDataset images = toy_images(64);
  for (const int label : {0, 1}) {
    for (auto& sample : images.samples) sample.label = label;
    const ValidationResult result = judge(images, brightness);
    EXPECT_EQ(result.auc, std::nullopt);
    EXPECT_EQ(result.pf1, std::nullopt);
    EXPECT_EQ(result.case_auc, std::nullopt);
    EXPECT_EQ(result.case_pf1, std::nullopt);
  }
}

}  // namespace
}  // namespace mpbench::train
