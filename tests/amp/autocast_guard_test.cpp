#include "mpbench/amp/autocast_guard.hpp"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <stdexcept>
#include <thread>

#include "mpbench/core/error.hpp"

namespace mpbench::amp {
namespace {

at::ScalarType product_dtype() { return at::mm(at::ones({2, 3}), at::ones({3, 2})).scalar_type(); }

TEST(AutocastGuardTest, CastsWhileItLives) {
  EXPECT_EQ(product_dtype(), at::kFloat);
  {
    const AutocastGuard guard(at::kCPU, at::kHalf);
    EXPECT_EQ(product_dtype(), at::kHalf);
  }
  EXPECT_EQ(product_dtype(), at::kFloat);
}

TEST(AutocastGuardTest, RestoresWhatItFound) {
  const at::ScalarType dtype_before = at::autocast::get_autocast_dtype(at::kCPU);
  {
    const AutocastGuard outer(at::kCPU, at::kHalf, true, false);
    {
      const AutocastGuard inner(at::kCPU, at::kBFloat16, true, true);
      EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
      {
        const AutocastGuard off(at::kCPU, at::kFloat, false);
        EXPECT_EQ(product_dtype(), at::kFloat);
      }
      EXPECT_EQ(product_dtype(), at::kBFloat16);
    }
    EXPECT_FALSE(at::autocast::is_autocast_cache_enabled());
    EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), at::kHalf);
    EXPECT_EQ(product_dtype(), at::kHalf);
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
  EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), dtype_before);
}

TEST(AutocastGuardTest, RestoresWhenAnExceptionPasses) {
  try {
    const AutocastGuard guard(at::kCPU, at::kHalf);
    throw std::runtime_error("from inside");
  } catch (const std::runtime_error&) {
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_EQ(product_dtype(), at::kFloat);
}

TEST(AutocastGuardTest, KeepsCastWeightsUntilTheOutermostGuardEnds) {
  const at::Tensor input = at::ones({1, 2});
  at::Tensor weight = at::ones({2, 2}).requires_grad_();
  const auto output = [&] { return at::mm(input, weight).to(at::kFloat).sum().item<float>(); };
  const auto set_weight = [&](float value) {
    const at::NoGradGuard no_grad;
    weight.fill_(value);
  };
  {
    const AutocastGuard outer(at::kCPU, at::kBFloat16);
    {
      const AutocastGuard inner(at::kCPU, at::kBFloat16);
      EXPECT_EQ(output(), 4.0F);
    }
    set_weight(2.0F);
    EXPECT_EQ(output(), 4.0F) << "the cast from before the change should still be cached";
  }
  const AutocastGuard next(at::kCPU, at::kBFloat16);
  EXPECT_EQ(output(), 8.0F) << "the cache should have been dropped";
}

TEST(AutocastGuardTest, SeesAChangedWeightWithoutTheCache) {
  const at::Tensor input = at::ones({1, 2});
  at::Tensor weight = at::ones({2, 2}).requires_grad_();
  const AutocastGuard guard(at::kCPU, at::kBFloat16, true, false);
  EXPECT_EQ(at::mm(input, weight).to(at::kFloat).sum().item<float>(), 4.0F);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(2.0F);
  }
  EXPECT_EQ(at::mm(input, weight).to(at::kFloat).sum().item<float>(), 8.0F);
}

TEST(AutocastGuardTest, BelongsToItsThread) {
  const AutocastGuard guard(at::kCPU, at::kBFloat16);
  at::ScalarType elsewhere = at::kHalf;
  std::thread([&] { elsewhere = product_dtype(); }).join();
  EXPECT_EQ(elsewhere, at::kFloat);
}

TEST(AutocastGuardTest, RefusesOtherDtypes) {
  EXPECT_THROW(AutocastGuard(at::kCPU, at::kFloat), Error);
  EXPECT_THROW(AutocastGuard(at::kCPU, at::kDouble), Error);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_NO_THROW(AutocastGuard(at::kCPU, at::kFloat, false));
}

}  // namespace
}  // namespace mpbench::amp
