#include "mpbench/io/endian.hpp"

#include <gtest/gtest.h>

#include <array>

namespace mpbench {
namespace {

constexpr std::array nine_bytes{std::byte{0x01}, std::byte{0xFE}, std::byte{0x80},
                                std::byte{0x7F}, std::byte{0x00}, std::byte{0xC3},
                                std::byte{0x10}, std::byte{0xFF}, std::byte{0x42}};

TEST(EndianTest, ReadsTheMostSignificantByteFirst) {
  EXPECT_EQ(big_endian(nine_bytes, 0), 0x01FE807FU);
  EXPECT_EQ(big_endian(nine_bytes, 1, 2), 0xFE80U);
  EXPECT_EQ(big_endian<std::uint16_t>(nine_bytes, 7), 0xFF42U);
  EXPECT_EQ(big_endian<std::uint64_t>(nine_bytes, 1), 0xFE807F00C310FF42U);
}

TEST(EndianTest, ReadsTheLeastSignificantByteFirst) {
  EXPECT_EQ(little_endian(nine_bytes, 0), 0x7F80FE01U);
  EXPECT_EQ(little_endian(nine_bytes, 1, 3), 0x7F80FEU);
  EXPECT_EQ(little_endian<std::uint16_t>(nine_bytes, 7), 0x42FFU);
  EXPECT_EQ(little_endian<std::uint64_t>(nine_bytes, 1), 0x42FF10C3007F80FEU);
}

}  // namespace
}  // namespace mpbench
