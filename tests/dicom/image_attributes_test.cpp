#include "../../src/dicom/image_attributes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "test_dataset.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::Contains;

std::string repeated(const std::string& value, int count) {
  std::string text = value;
  for (int i = 1; i < count; ++i) text += "\\" + value;
  return text;
}

ImageAttributes read(TestDataset& dataset, std::vector<std::string>& notes) {
  return read_attributes(dataset.dataset(), read_pixel_format(dataset.dataset()), 0, notes);
}

TEST(ImageAttributesTest, AlternativesBeyondAnyUseAreLeftOut) {
  TestDataset dataset(4, 4, 16, 12, false);
  // Each found by its number, these take a minute.
  dataset.set(DCM_WindowCenter, repeated("10", 100'000).c_str());
  dataset.set(DCM_WindowWidth, repeated("20", 100'000).c_str());
  for (long i = 0; i < 70; ++i) {
    DcmItem* item = nullptr;
    ASSERT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_VOILUTSequence, item, i).good());
    const Uint16 descriptor[] = {2, 0, 16};
    item->putAndInsertUint16Array(DcmTag(DCM_LUTDescriptor, EVR_US), descriptor, 3);
    item->putAndInsertUint16Array(DcmTag(DCM_LUTData, EVR_US), descriptor, 2);
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> notes;
  const ImageAttributes attributes = read(dataset, notes);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ASSERT_EQ(attributes.windows.size(), 64U);
  EXPECT_EQ(attributes.windows.back().center, 10);
  EXPECT_EQ(attributes.windows.back().width, 20);
  EXPECT_EQ(attributes.voi_luts.size(), 64U);
  EXPECT_THAT(notes, Contains("100000 windows: the first 64 are read"));
  EXPECT_THAT(notes, Contains("VOILUTSequence: the first 64 are read"));
}

TEST(ImageAttributesTest, SixtyFourAlternativesAreAllRead) {
  TestDataset dataset(4, 4, 16, 12, false);
  dataset.set(DCM_WindowCenter, repeated("1", 64).c_str());
  dataset.set(DCM_WindowWidth, repeated("2", 64).c_str());
  std::vector<std::string> notes;
  EXPECT_EQ(read(dataset, notes).windows.size(), 64U);
  EXPECT_THAT(notes, ::testing::IsEmpty());
}

}  // namespace
}  // namespace mpbench::dicom
