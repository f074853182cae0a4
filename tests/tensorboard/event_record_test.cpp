#include "../../src/tensorboard/event_record.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <span>

#include "mpbench/io/endian.hpp"

namespace mpbench::tensorboard {
namespace {

TEST(EventRecordTest, ChecksumIsThatOfTheStandard) {
  // RFC 3720, appendix B.4; and the catalogue's check value of CRC-32/ISCSI.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

/// TensorFlow's formula.
std::uint32_t masked(std::uint32_t checksum) {
  return ((checksum >> 15U) | (checksum << 17U)) + 0xA282EAD8U;
}

TEST(EventRecordTest, FramesTheEvent) {
  const std::string event = std::string("event\0s", 7) + std::string(300, '\xE9');
  const std::string record = event_record(event);
  ASSERT_EQ(record.size(), event.size() + 16);
  const auto bytes = std::as_bytes(std::span(record));
  EXPECT_EQ(little_endian<std::uint64_t>(bytes, 0), event.size());
  EXPECT_EQ(little_endian(bytes, 8), masked(crc32c(record.substr(0, 8))));
  EXPECT_EQ(record.substr(12, event.size()), event);
  EXPECT_EQ(little_endian(bytes, 12 + event.size()), masked(crc32c(event)));
}

}  // namespace
}  // namespace mpbench::tensorboard
