#include "../../src/dicom/frame_fragments.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "../../src/dicom/pixel_format.hpp"
#include "support/dicom_dataset.hpp"

namespace mpbench::dicom {
namespace {

Bytes to_bytes(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(std::byte(value));
  return bytes;
}

/// An encapsulated PixelData with its offset table; fragments of an even length.
class FrameFragmentsTest : public ::testing::Test {
 protected:
  void add(const Bytes& bytes) {
    auto* item = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
    ASSERT_TRUE(item->putUint8Array(reinterpret_cast<const Uint8*>(bytes.data()),
                                    static_cast<unsigned long>(bytes.size()))
                    .good());
    ASSERT_TRUE(sequence_.insert(item).good());
  }
  Bytes frame(int index, int frames) {
    const EncodedFrame found = read_fragments(sequence_, find_fragments(sequence_, index, frames));
    return {found.bytes.begin(), found.bytes.end()};
  }
  DcmPixelSequence sequence_{DcmTag(DCM_PixelData, EVR_OB)};
};

TEST_F(FrameFragmentsTest, OneFrameIsAllFragments) {
  add({});
  add(to_bytes({1, 2}));
  add({});
  add(to_bytes({3, 4, 5, 6}));
  EXPECT_EQ(frame(0, 1), to_bytes({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(frame(1, 3), Bytes());
  EXPECT_EQ(frame(2, 3), to_bytes({3, 4, 5, 6}));
  EXPECT_THROW(frame(0, 4), FieldError);
  EXPECT_THROW(frame(0, 2), FieldError);  // neither table nor codestreams
}

TEST_F(FrameFragmentsTest, OffsetTableTellsWhereFramesBegin) {
  add(to_bytes({0, 0, 0, 0, 22, 0, 0, 0}));  // 8 + 2 and 8 + 4 bytes before the second frame
  add(to_bytes({1, 2}));
  add(to_bytes({3, 4, 5, 6}));
  add(to_bytes({7, 8}));
  EXPECT_EQ(frame(0, 2), to_bytes({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(frame(1, 2), to_bytes({7, 8}));
}

TEST_F(FrameFragmentsTest, CodestreamsTellWhereFramesBegin) {
  add(to_bytes({0, 0, 0, 0, 99, 0, 0, 0}));  // wrong
  add(to_bytes({0xFF, 0xD8, 0xFF, 1}));
  add(to_bytes({2, 3}));
  add(to_bytes({0xFF, 0x4F, 0xFF, 0x51}));
  EXPECT_EQ(frame(0, 2), to_bytes({0xFF, 0xD8, 0xFF, 1, 2, 3}));
  EXPECT_EQ(frame(1, 2), to_bytes({0xFF, 0x4F, 0xFF, 0x51}));
}

TEST_F(FrameFragmentsTest, TimeIsLinearInTheirNumber) {
  constexpr std::size_t count = 150'000;  // each found by its number, they take half a minute
  add({});
  for (std::size_t i = 0; i < count; ++i) add(to_bytes({static_cast<int>(i % 251), 1}));
  const auto begin = std::chrono::steady_clock::now();
  const Bytes joined = frame(0, 1);
  EXPECT_THROW(frame(0, 10), FieldError);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ASSERT_EQ(joined.size(), 2 * count);
  EXPECT_EQ(joined[2 * 70'000], std::byte{70'000 % 251});
}

}  // namespace
}  // namespace mpbench::dicom
