#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/data/loader.hpp"

namespace mpbench::data {
namespace {

template <typename Pixel>
void expect_what_torch_says(int height, int width) {
  const auto set = make_images<Pixel>(9, 3, height, width, 3);
  const std::vector<std::int64_t> indices{8, 2, 3, 5};
  auto images = torch::empty({4, 3, height, width}, torch::kFloat64);
  auto* to = images.data_ptr<double>();
  for (const auto index : indices) {
    const auto* from = reinterpret_cast<const Pixel*>(set.image(index).data());
    to = std::copy_n(from, set.image_values(), to);
  }
  images /= pixel_maximum(set.pixel_type);
  const auto measured = measure_normalization(set, indices);
  ASSERT_EQ(measured.mean.size(), 3U);
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto channel = images.select(1, c);
    const auto at = static_cast<std::size_t>(c);
    EXPECT_NEAR(measured.mean[at], channel.mean().item<double>(), 1e-6);
    EXPECT_NEAR(measured.stddev[at], channel.std(/*unbiased=*/false).item<double>(), 1e-6);
  }
}

TEST(NormalizationTest, IsTheMeanAndDeviationThatTorchFinds) {
  expect_what_torch_says<std::uint8_t>(7, 5);
  expect_what_torch_says<std::uint16_t>(7, 5);
  expect_what_torch_says<std::uint16_t>(1030, 1021);  // longer than what is summed at once
}

TEST(NormalizationTest, KeepsSmallDeviationsOnLargeMeans) {
  auto set = make_images<std::uint16_t>(1, 1, 100, 100, 2);
  auto pixels = std::make_shared<std::vector<std::uint16_t>>(10000, std::uint16_t{65534});
  for (std::size_t i = 0; i < pixels->size(); i += 2) (*pixels)[i] = 65535;
  set.pixels = std::as_bytes(std::span(*pixels));
  set.storage = pixels;
  const std::vector<std::int64_t> indices{0};
  EXPECT_NEAR(measure_normalization(set, indices).stddev[0] * 65535, 0.5, 1e-6);
}

TEST(NormalizationTest, RefusesWhatHasNone) {
  auto set = make_images<std::uint8_t>(2, 1, 1, 1, 2);
  const std::vector<std::int64_t> one{1};
  EXPECT_THROW(measure_normalization(set, {}), Error);
  EXPECT_THROW(measure_normalization(set, one), Error) << "one pixel alone varies in nothing";
}

}  // namespace
}  // namespace mpbench::data
