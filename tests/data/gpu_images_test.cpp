#include "../../src/data/loader/gpu_images.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <vector>

namespace mpbench::data {
namespace {

TEST(GpuImagesTest, InterleavesPlanes) {
  const auto planes = at::arange(3 * 4 * 5).view({3, 4, 5}).to(at::kShort);
  std::vector<std::int16_t> pixels(60);
  interleave(planes.const_data_ptr<std::int16_t>(), pixels.data(), 3, 20);
  const auto expected = planes.permute({1, 2, 0}).contiguous();
  EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), expected.const_data_ptr<std::int16_t>()));
}

// By three operators, a pass each.
TEST(GpuImagesTest, RoundsAfterEachOperation) {
  const auto every_value = at::arange(1 << 16);
  for (const auto type : {at::kByte, at::kUInt16}) {
    for (const std::int64_t channels : {1, 3}) {
      for (const bool channels_last : {false, true}) {
        const auto format =
            channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
        const auto count = type == at::kByte ? 256 : 1 << 16;
        const auto stored = every_value.slice(0, 0, count)
                                .repeat({channels})
                                .view({count / 16, channels, 4, 4})
                                .to(type)
                                .contiguous(format);
        const auto scale = (at::rand({1, channels, 1, 1}) + 0.1) / (count - 1);
        const auto offset = at::rand({1, channels, 1, 1}) - 2;
        const auto images = normalised(stored, scale, offset, channels_last);
        const auto expected = at::empty(stored.sizes(), at::TensorOptions().memory_format(format))
                                  .copy_(stored)
                                  .mul_(scale)
                                  .add_(offset);
        EXPECT_EQ(images.scalar_type(), at::kFloat);
        EXPECT_TRUE(images.equal(expected)) << channels << ' ' << channels_last;
        EXPECT_EQ(images.strides(), expected.strides());

        const auto place = at::zeros_like(expected);
        EXPECT_TRUE(normalised(stored, scale, offset, channels_last, place).is_same(place));
        EXPECT_TRUE(place.equal(expected));
        const auto other_size = at::zeros({1, channels, 4, 4});
        EXPECT_FALSE(
            normalised(stored, scale, offset, channels_last, other_size).is_same(other_size));
      }
    }
  }
}

}  // namespace
}  // namespace mpbench::data
