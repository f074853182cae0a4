#include "../../src/dicom/image_attributes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "support/dicom_dataset.hpp"

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

/// A table of `count` entries, whose descriptor has this VR and first input value.
void add_table(DcmItem& dataset, const DcmTagKey& sequence, DcmEVR vr, int first, Uint16 count,
               Uint16 bits = 12) {
  DcmItem* item = nullptr;
  ASSERT_TRUE(dataset.findOrCreateSequenceItem(sequence, item, -2).good());
  const auto word = static_cast<Uint16>(first);
  const Uint16 descriptor[] = {count, word, bits};
  const Sint16 signed_descriptor[] = {static_cast<Sint16>(count), static_cast<Sint16>(word),
                                      static_cast<Sint16>(bits)};
  DcmElement* element = nullptr;
  ASSERT_TRUE(DcmItem::newDicomElementWithVR(element, DcmTag(DCM_LUTDescriptor, vr)).good());
  ASSERT_TRUE((vr == EVR_SS ? element->putSint16Array(signed_descriptor, 3)
                            : element->putUint16Array(descriptor, 3))
                  .good());
  item->insert(element);
  const std::vector<Uint16> data(count, 4095);
  item->putAndInsertUint16Array(DcmTag(DCM_LUTData, EVR_US), data.data(), count);
}

struct SignCase {
  const char* name;
  bool pixels_signed;
  const char* intercept;  // of a slope of 1; empty: neither
  bool modality_lut;
  DcmEVR vr;
  int first;     // as the VR reads it
  int expected;  // as PS3.3 does
};

/// PS3.3 C.11.1.1 and C.11.2.1.1, with the file's VR right and wrong.
constexpr SignCase sign_cases[] = {
    {"unsigned pixels", false, "", false, EVR_US, 40000, 40000},
    {"unsigned pixels, SS", false, "", false, EVR_SS, 40000 - 65536, 40000},
    {"signed pixels", true, "", false, EVR_SS, -2048, -2048},
    {"signed pixels, US", true, "", false, EVR_US, 65536 - 2048, -2048},
    {"rescaled below 0", false, "-1024", false, EVR_SS, -1024, -1024},
    {"rescaled below 0, US", false, "-1024", false, EVR_US, 65536 - 1024, -1024},
    {"rescaled above 0", true, "32768", false, EVR_US, 40000, 40000},
    {"rescaled above 0, SS", true, "32768", false, EVR_SS, 40000 - 65536, 40000},
    {"after a modality LUT", true, "", true, EVR_US, 40000, 40000},
    {"after a modality LUT, SS", true, "", true, EVR_SS, 40000 - 65536, 40000},
    {"no rescale that is a number", true, "none", false, EVR_US, 65536 - 2048, -2048}};

TEST(ImageAttributesTest, ReadsATablesFirstInputWithTheSignOfItsInput) {
  for (const SignCase& one : sign_cases) {
    SCOPED_TRACE(one.name);
    TemporaryFolder folder;
    TestDataset dataset(4, 4, 16, 16, one.pixels_signed);
    dataset.set_native(cv::Mat(4, 4, CV_16UC1, cv::Scalar(0)));
    if (*one.intercept != 0) {
      dataset.set(DCM_RescaleSlope, "1");
      dataset.set(DCM_RescaleIntercept, one.intercept);
    }
    if (one.modality_lut) {
      add_table(dataset.dataset(), DCM_ModalityLUTSequence, EVR_SS, -2000, 4000, 16);
    }
    add_table(dataset.dataset(), DCM_VOILUTSequence, one.vr, one.first, 4096);
    for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit}) {
      DcmFileFormat file;
      ASSERT_TRUE(file.loadFile(dataset.save(folder / "image.dcm", syntax).c_str()).good());
      DcmDataset& read_back = *file.getDataset();
      std::vector<std::string> notes;
      const ImageAttributes attributes =
          read_attributes(read_back, read_pixel_format(read_back), 0, notes);
      ASSERT_EQ(attributes.voi_luts.size(), 1U);
      EXPECT_EQ(attributes.voi_luts[0].first, one.expected);
      const bool is_said = syntax == EXS_LittleEndianExplicit && one.first != one.expected;
      EXPECT_EQ(notes.size(), is_said ? 1U : 0U);
    }
  }
}

TEST(ImageAttributesTest, NotesATableThatLeavesItsBitsUnused) {
  for (const auto& [bits, is_noted] : {std::pair{12, false}, {13, false}, {14, true}, {16, true}}) {
    TestDataset dataset(4, 4, 16, 12, false);
    add_table(dataset.dataset(), DCM_VOILUTSequence, EVR_US, 0, 4096);
    DcmItem* item = nullptr;
    ASSERT_TRUE(dataset.dataset().findAndGetSequenceItem(DCM_VOILUTSequence, item).good());
    const Uint16 descriptor[] = {4096, 0, static_cast<Uint16>(bits)};
    item->putAndInsertUint16Array(DcmTag(DCM_LUTDescriptor, EVR_US), descriptor, 3);
    std::vector<std::string> notes;
    EXPECT_EQ(read(dataset, notes).voi_luts.at(0).bits, bits);
    EXPECT_EQ(notes.size(), is_noted ? 1U : 0U) << bits;
  }
}

}  // namespace
}  // namespace mpbench::dicom
