#include "../../src/dicom/dataset_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "mpbench/dicom/codecs.hpp"
#include "support/dicom_dataset.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Bytes text(std::string_view characters) {
  const auto* data = reinterpret_cast<const std::byte*>(characters.data());
  return {data, data + characters.size()};
}

Bytes with(Bytes whole, const Bytes& more) {
  whole.insert(whole.end(), more.begin(), more.end());
  return whole;
}

class DatasetLoaderTest : public ::testing::Test {
 protected:
  DatasetLoaderTest() { register_codecs(); }

  TestDataset image(int rows = 5, int columns = 7) {
    picture_ = test_picture(rows, columns, CV_16UC1, 0, 4095);
    TestDataset dataset(rows, columns, 16, 12, false);
    dataset.set_native(picture_);
    return dataset;
  }
  Bytes file(E_TransferSyntax syntax, int rows = 5, int columns = 7) {
    TestDataset dataset = image(rows, columns);
    dataset.compress(syntax);
    return read_bytes(dataset.save(folder_ / "image.dcm", syntax));
  }
  /// The notes on a file whose pixels are right.
  std::vector<std::string> notes_on(const Bytes& bytes) {
    try {
      DecodedFrame stored = DicomImage(bytes, "bytes").read();
      EXPECT_TRUE(equal(stored.pixels, picture_));
      return stored.notes;
    } catch (const InputError& error) {
      return {std::string("refused: ") + error.what()};
    }
  }
  static std::string refusal_of(const Bytes& bytes) {
    const auto error = thrown_by<InputError>([&] { DicomImage(bytes, "bytes").read(); });
    return error ? error->what() : "";
  }

  TemporaryFolder folder_;
  cv::Mat picture_;
};

TEST_F(DatasetLoaderTest, LeavesOutWhatFollowsTheLastElement) {
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit, EXS_BigEndianExplicit, EXS_RLELossless,
        EXS_JPEGProcess14SV1}) {
    for (const int rows : {5, 75}) {  // values below and above 4 KB are read differently
      const Bytes whole = file(syntax, rows, 75);
      EXPECT_THAT(notes_on(whole), IsEmpty());
      for (const std::string_view kind :
           {std::string_view("\0", 1), std::string_view("\n"), std::string_view("\r\n"),
            std::string_view("\x1A"), std::string_view("\xFF"), std::string_view(" "),
            std::string_view("\x80"), std::string_view("EOF")}) {
        std::vector<std::size_t> lengths{512, 2047, 2048};
        for (std::size_t length = 1; length <= 64; ++length) lengths.push_back(length);
        for (const std::size_t length : lengths) {
          std::string tail;
          while (tail.size() < length) tail += kind;
          tail.resize(length);
          SCOPED_TRACE(std::string(DcmXfer(syntax).getXferName()) + ", " + std::to_string(length) +
                       " bytes of " + std::to_string(int{kind[0]}));
          EXPECT_THAT(notes_on(with(whole, text(tail))),
                      ElementsAre(HasSubstr(std::to_string(length) + " byte")));
        }
      }
    }
  }
}

TEST_F(DatasetLoaderTest, SaysWhatItLeavesOut) {
  const Bytes whole = file(EXS_LittleEndianExplicit);
  EXPECT_THAT(notes_on(with(whole, Bytes(1))),
              ElementsAre("1 byte after the dataset (zeros) is ignored"));
  EXPECT_THAT(notes_on(with(whole, text("\r\n"))),
              ElementsAre("2 bytes after the dataset (line ends) are ignored"));
  EXPECT_THAT(notes_on(with(whole, text("0123456789"))),
              ElementsAre("10 bytes after the dataset are ignored"));
}

TEST_F(DatasetLoaderTest, KeepsElementsAfterPixelData) {
  // Data Set Trailing Padding (PS3.10 7.2) and a private element.
  for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_RLELossless}) {
    TestDataset dataset = image();
    dataset.compress(syntax);
    const Uint8 padding[6] = {};
    dataset.dataset().putAndInsertUint8Array(DcmTag(0xFFFC, 0xFFFC, EVR_OB), padding, 6);
    dataset.dataset().putAndInsertString(DcmTag(0x7FE1, 0x0010, EVR_LO), "MAKER");
    const Bytes whole = read_bytes(dataset.save(folder_ / "image.dcm", syntax));
    EXPECT_THAT(notes_on(whole), IsEmpty());
    EXPECT_THAT(notes_on(with(whole, text("\n"))), ElementsAre(HasSubstr("1 byte after")));
    // Cut off in the padding.
    EXPECT_NE(refusal_of({whole.begin(), whole.end() - 2}), "");
  }
}

TEST_F(DatasetLoaderTest, NotesElementsThatBelongBeforePixelData) {
  const Bytes center =
      text(std::string_view("\x28\x00\x50\x10"
                            "DS\x04\x00"
                            "1000",
                            12));
  EXPECT_THAT(notes_on(with(file(EXS_LittleEndianExplicit), center)),
              ElementsAre("elements follow PixelData that belong before it",
                          HasSubstr("1 window centers and 0 widths")));
}

TEST_F(DatasetLoaderTest, RefusesASecondImage) {
  const Bytes whole = file(EXS_LittleEndianExplicit);
  EXPECT_THAT(refusal_of(with(whole, whole)), HasSubstr("dataset: is followed by another DICOM"));
  EXPECT_THAT(refusal_of(with(with(whole, text("\r\n")), whole)), HasSubstr("another DICOM file"));
  ASSERT_TRUE(
      image().dataset().saveFile((folder_ / "bare").c_str(), EXS_LittleEndianExplicit).good());
  EXPECT_THAT(refusal_of(with(whole, read_bytes(folder_ / "bare"))),
              HasSubstr("dataset: is followed by a second one"));
}

TEST_F(DatasetLoaderTest, RefusesAPixelDataThatBreaksOff) {
  for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit,
                                        EXS_BigEndianExplicit, EXS_RLELossless}) {
    const Bytes whole = file(syntax, 75, 75);
    for (const std::ptrdiff_t missing : {1, 2, 5, 7, 8, 9, 13, 20, 100, 5000}) {
      SCOPED_TRACE(std::string(DcmXfer(syntax).getXferName()) + " " + std::to_string(missing));
      EXPECT_THAT(refusal_of({whole.begin(), whole.end() - missing}), HasSubstr("PixelData: "));
    }
  }
}

TEST_F(DatasetLoaderTest, AnIconsPixelDataIsNotTheEnd) {
  TestDataset dataset = image();
  DcmItem* icon = nullptr;
  ASSERT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_IconImageSequence, icon).good());
  const Uint8 pixels[4] = {1, 2, 3, 4};
  icon->putAndInsertUint16(DCM_Rows, 2);
  icon->putAndInsertUint8Array(DcmTag(DCM_PixelData, EVR_OB), pixels, 4);
  const Bytes whole = read_bytes(dataset.save(folder_ / "image.dcm"));
  EXPECT_THAT(notes_on(whole), IsEmpty());
  EXPECT_THAT(notes_on(with(whole, Bytes(3))), ElementsAre(HasSubstr("3 bytes after")));
}

}  // namespace
}  // namespace mpbench::dicom
