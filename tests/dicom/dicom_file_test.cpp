#include "mpbench/dicom/dicom_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "mpbench/core/error.hpp"
#include "mpbench/dicom/codecs.hpp"
#include "support/dicom_dataset.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string field_at_fault(const std::filesystem::path& path, int frame = 0) {
  const auto error = thrown_by<InputError>([&] { read_stored(path, frame); });
  EXPECT_TRUE(error.has_value()) << path << " was read";
  if (!error) return {};
  EXPECT_EQ(error->path(), path);
  EXPECT_NE(error->problem(), "");
  return error->field();
}

class DicomFileTest : public ::testing::Test {
 protected:
  /// A dataset of 12-bit values with its pixels, ready to be changed.
  TestDataset grey() {
    TestDataset dataset(picture_.rows, picture_.cols, 16, 12, false);
    dataset.set_native(picture_);
    return dataset;
  }
  TemporaryFolder folder_;
  cv::Mat picture_ = test_picture(21, 34, CV_16UC1, 0, 4095);
};

TEST_F(DicomFileTest, ReadsEveryTransferSyntaxToTheSameValues) {
  register_codecs();
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit, EXS_BigEndianExplicit,
        EXS_DeflatedLittleEndianExplicit, EXS_RLELossless, EXS_JPEGProcess14, EXS_JPEGProcess14SV1,
        EXS_JPEG2000LosslessOnly, EXS_JPEG2000}) {
    TestDataset dataset = grey();
    dataset.compress(syntax);
    const DecodedFrame image = read_stored(dataset.save(folder_ / "image.dcm", syntax));
    EXPECT_TRUE(equal(image.pixels, picture_)) << DcmXfer(syntax).getXferName();
    EXPECT_EQ(image.attributes.transfer_syntax, DcmXfer(syntax).getXferID());
    EXPECT_THAT(image.notes, IsEmpty());
  }
}

TEST_F(DicomFileTest, JoinsTheFragmentsOfAJpegFrame) {
  register_codecs();
  TestDataset whole = grey();
  whole.compress(EXS_JPEGProcess14SV1);
  DcmElement* element = nullptr;
  whole.dataset().findAndGetElement(DCM_PixelData, element);
  DcmPixelSequence* sequence = nullptr;
  ASSERT_TRUE(dynamic_cast<DcmPixelData*>(element)
                  ->getEncapsulatedRepresentation(EXS_JPEGProcess14SV1, nullptr, sequence)
                  .good());
  DcmPixelItem* item = nullptr;
  Uint8* data = nullptr;
  ASSERT_TRUE(sequence->getItem(item, 1).good() && item->getUint8Array(data).good());
  const std::size_t length = item->getLength();
  for (const std::size_t size : {2U, 500U}) {  // DCMTK alone wants the frame header in the first
    std::vector<Bytes> fragments;
    for (std::size_t at = 0; at < length; at += size) {
      const auto* begin = reinterpret_cast<const std::byte*>(data) + at;
      fragments.emplace_back(begin, begin + std::min(size, length - at));
    }
    TestDataset pieces(picture_.rows, picture_.cols, 16, 12, false);
    pieces.set_fragments(EXS_JPEGProcess14SV1, fragments);
    const auto path = pieces.save(folder_ / "pieces.dcm", EXS_JPEGProcess14SV1);
    EXPECT_TRUE(equal(read_stored(path).pixels, picture_)) << size;
  }
}

TEST_F(DicomFileTest, ReadsEveryPixelFormat) {
  struct Case {
    int type, bits, low, high;
  };
  for (const Case& one :
       {Case{CV_8UC1, 8, 0, 255}, Case{CV_8SC1, 8, -128, 127}, Case{CV_16UC1, 16, 0, 65535},
        Case{CV_16SC1, 16, -32768, 32767}, Case{CV_16SC1, 12, -2048, 2047},
        Case{CV_8UC3, 8, 0, 255}, Case{CV_16UC3, 16, 0, 65535}}) {
    // An odd number of bytes is the interesting one: PixelData is padded to an even length.
    const cv::Mat picture = test_picture(7, 9, one.type, one.low, one.high);
    TestDataset dataset(7, 9, static_cast<int>(8 * picture.elemSize1()), one.bits, one.low < 0,
                        picture.channels());
    dataset.set_native(picture);
    EXPECT_TRUE(equal(read_stored(dataset.save(folder_ / "image.dcm")).pixels, picture));
    EXPECT_TRUE(equal(read_stored(dataset.save(folder_ / "big.dcm", EXS_BigEndianExplicit)).pixels,
                      picture));
  }
}

TEST_F(DicomFileTest, ReadsColourByPlane) {
  const cv::Mat picture = test_picture(5, 6, CV_8UC3, 0, 255);
  std::vector<cv::Mat> planes;
  cv::split(picture, planes);
  Bytes by_plane;
  for (const cv::Mat& plane : planes) {
    const auto* data = reinterpret_cast<const std::byte*>(plane.data);
    by_plane.insert(by_plane.end(), data, data + plane.total());
  }
  TestDataset dataset(5, 6, 8, 8, false, 3);
  dataset.set(DCM_PlanarConfiguration, Uint16{1});
  dataset.set_native(by_plane);
  EXPECT_TRUE(equal(read_stored(dataset.save(folder_ / "image.dcm")).pixels, picture));
}

TEST_F(DicomFileTest, DropsUnusedBitsAndExtendsTheSign) {
  // 12 bits stored; the four above hold an overlay's bits (PS3.5 8.1.1).
  TestDataset dataset(1, 2, 16, 12, true);
  dataset.set_native(row_of<std::uint16_t>({0x5801, 0xA7FF}));
  EXPECT_TRUE(equal(read_stored(dataset.save(folder_ / "image.dcm")).pixels,
                    row_of<std::int16_t>({-2047, 2047})));
}

TEST_F(DicomFileTest, ReadsEachFrame) {
  cv::Mat all;
  const cv::Mat second = test_picture(21, 34, CV_16UC1, 0, 4095, 2);
  cv::vconcat(picture_, second, all);
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianExplicit, EXS_BigEndianExplicit, EXS_RLELossless, EXS_JPEGProcess14SV1}) {
    TestDataset dataset = grey();
    dataset.set(DCM_NumberOfFrames, "2");
    dataset.set_native(all);
    dataset.compress(syntax);
    const auto path = dataset.save(folder_ / "image.dcm", syntax);
    EXPECT_TRUE(equal(read_stored(path, 0).pixels, picture_));
    EXPECT_TRUE(equal(read_stored(path, 1).pixels, second));
    EXPECT_EQ(read_stored(path, 1).attributes.frames, 2);
    EXPECT_EQ(field_at_fault(path, 2), "NumberOfFrames");
    EXPECT_EQ(field_at_fault(path, -1), "NumberOfFrames");
  }
}

TEST_F(DicomFileTest, ReadsAttributes) {
  TestDataset dataset = grey();
  dataset.set(DCM_PhotometricInterpretation, "MONOCHROME1");
  dataset.set(DCM_RescaleSlope, "1.5");
  dataset.set(DCM_RescaleIntercept, "-1024");
  dataset.set(DCM_WindowCenter, "2047.5\\100");
  dataset.set(DCM_WindowWidth, "+4096\\50");
  dataset.set(DCM_WindowCenterWidthExplanation, "NORMAL\\HARDER");
  dataset.set(DCM_VOILUTFunction, "SIGMOID");
  dataset.set(DCM_PixelPaddingValue, Uint16{4095});
  dataset.set(DCM_PixelPaddingRangeLimit, Uint16{4000});
  dataset.set(DCM_PresentationLUTShape, "INVERSE");
  dataset.set(DCM_ImageLaterality, "L");
  dataset.set(DCM_ViewPosition, "MLO");
  const ImageAttributes read = read_stored(dataset.save(folder_ / "image.dcm")).attributes;
  EXPECT_EQ(read.rows, 21);
  EXPECT_EQ(read.columns, 34);
  EXPECT_EQ(read.bits_stored, 12);
  EXPECT_FALSE(read.is_signed);
  EXPECT_EQ(read.photometric_interpretation, "MONOCHROME1");
  EXPECT_EQ(read.rescale_slope, 1.5);
  EXPECT_EQ(read.rescale_intercept, -1024);
  ASSERT_EQ(read.windows.size(), 2U);
  EXPECT_EQ(read.windows[0].center, 2047.5);
  EXPECT_EQ(read.windows[0].width, 4096);
  EXPECT_EQ(read.windows[1].center, 100);
  EXPECT_EQ(read.windows[1].explanation, "HARDER");
  EXPECT_EQ(read.voi_function, VoiFunction::sigmoid);
  EXPECT_EQ(read.padding_value, 4095);
  EXPECT_EQ(read.padding_range_limit, 4000);
  EXPECT_EQ(read.presentation_lut_shape, "INVERSE");
  EXPECT_EQ(read.laterality, "L");
  EXPECT_EQ(read.view_position, "MLO");
  EXPECT_EQ(read.patient_id, "P1");
}

TEST_F(DicomFileTest, ReadsLookupTables) {
  TestDataset dataset = grey();
  DcmItem* item = nullptr;
  ASSERT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_VOILUTSequence, item).good());
  const Uint16 descriptor[] = {3, 10, 12};
  const Uint16 data[] = {0, 100, 4095};
  item->putAndInsertUint16Array(DcmTag(DCM_LUTDescriptor, EVR_US), descriptor, 3);
  item->putAndInsertUint16Array(DcmTag(DCM_LUTData, EVR_US), data, 3);
  ASSERT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_ModalityLUTSequence, item).good());
  const Sint16 signed_descriptor[] = {3, -5, 16};
  DcmElement* element = nullptr;
  ASSERT_TRUE(DcmItem::newDicomElementWithVR(element, DcmTag(DCM_LUTDescriptor, EVR_SS)).good());
  element->putSint16Array(signed_descriptor, 3);
  item->insert(element);
  item->putAndInsertUint16Array(DcmTag(DCM_LUTData, EVR_OW), data, 2);  // one entry short
  const DecodedFrame image = read_stored(dataset.save(folder_ / "image.dcm"));
  ASSERT_EQ(image.attributes.voi_luts.size(), 1U);
  EXPECT_EQ(image.attributes.voi_luts[0].first, 10);
  EXPECT_EQ(image.attributes.voi_luts[0].bits, 12);
  EXPECT_EQ(image.attributes.voi_luts[0].entries, (std::vector<std::uint16_t>{0, 100, 4095}));
  ASSERT_TRUE(image.attributes.modality_lut);
  EXPECT_EQ(image.attributes.modality_lut->first, -5);
  EXPECT_THAT(image.attributes.modality_lut->entries, IsEmpty());
  EXPECT_THAT(image.notes, Contains(HasSubstr("ModalityLUTSequence")));
}

TEST_F(DicomFileTest, ReadsDescriptorZeroAs65536Entries) {
  TestDataset dataset = grey();
  DcmItem* item = nullptr;
  ASSERT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_VOILUTSequence, item).good());
  const Uint16 descriptor[] = {0, 0, 16};
  const std::vector<Uint16> data(65536, 9);
  item->putAndInsertUint16Array(DcmTag(DCM_LUTDescriptor, EVR_US), descriptor, 3);
  item->putAndInsertUint16Array(DcmTag(DCM_LUTData, EVR_OW), data.data(), 65536);
  const DecodedFrame image = read_stored(dataset.save(folder_ / "image.dcm"));
  ASSERT_EQ(image.attributes.voi_luts.size(), 1U);
  EXPECT_EQ(image.attributes.voi_luts[0].entries.size(), 65536U);
}

TEST_F(DicomFileTest, KeepsOddWindowsForTheDisplayToJudge) {
  TestDataset dataset = grey();
  dataset.set(DCM_WindowCenter, "100\\200");
  dataset.set(DCM_WindowWidth, "wide");
  dataset.set(DCM_VOILUTFunction, "LOG");
  const DecodedFrame image = read_stored(dataset.save(folder_ / "image.dcm"));
  ASSERT_EQ(image.attributes.windows.size(), 1U);
  EXPECT_TRUE(std::isnan(image.attributes.windows[0].width));
  EXPECT_EQ(image.attributes.unknown_voi_function, "LOG");
  EXPECT_THAT(image.notes, Contains(HasSubstr("2 window centers and 1 widths")));
}

TEST_F(DicomFileTest, ReadsAFileWithoutAMetaHeader) {
  TestDataset dataset = grey();
  ASSERT_TRUE(
      dataset.dataset().saveFile((folder_ / "bare.dcm").c_str(), EXS_LittleEndianExplicit).good());
  const DecodedFrame image = read_stored(folder_ / "bare.dcm");
  EXPECT_TRUE(equal(image.pixels, picture_));
  EXPECT_THAT(image.notes, Contains(HasSubstr("guessed")));
}

TEST_F(DicomFileTest, RefusesWhatIsNoDicomFile) {
  EXPECT_EQ(field_at_fault(folder_ / "missing.dcm"), "file");
  EXPECT_EQ(field_at_fault(folder_ / "."), "file");
  write_bytes(folder_ / "empty.dcm", {});
  EXPECT_EQ(field_at_fault(folder_ / "empty.dcm"), "file");
  write_bytes(folder_ / "text.dcm", Bytes(3000, std::byte{'a'}));
  EXPECT_EQ(field_at_fault(folder_ / "text.dcm"), "file");
  write_bytes(folder_ / "png.dcm",
              {std::byte{0x89}, std::byte{'P'}, std::byte{'N'}, std::byte{'G'}});
  EXPECT_EQ(field_at_fault(folder_ / "png.dcm"), "file");
}

TEST_F(DicomFileTest, RefusesFilesCutOffAnywhere) {
  register_codecs();
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianExplicit, EXS_RLELossless, EXS_JPEGProcess14SV1, EXS_JPEG2000LosslessOnly,
        EXS_DeflatedLittleEndianExplicit}) {
    TestDataset dataset = grey();
    dataset.compress(syntax);
    const Bytes whole = read_bytes(dataset.save(folder_ / "image.dcm", syntax));
    const auto cut = folder_ / "cut.dcm";
    for (const double share : {0.01, 0.2, 0.5, 0.9, 0.99}) {
      const auto size = static_cast<std::ptrdiff_t>(share * static_cast<double>(whole.size()));
      write_bytes(cut, {whole.begin(), whole.begin() + size});
      SCOPED_TRACE(std::string(DcmXfer(syntax).getXferName()) + " " + std::to_string(share));
      EXPECT_NE(field_at_fault(cut), "");
    }
  }
}

TEST_F(DicomFileTest, NamesPixelDataWhenItIsCutOff) {
  const Bytes whole = read_bytes(grey().save(folder_ / "image.dcm"));
  write_bytes(folder_ / "cut.dcm", {whole.begin(), whole.end() - 100});
  EXPECT_EQ(field_at_fault(folder_ / "cut.dcm"), "PixelData");
}

TEST_F(DicomFileTest, RefusesShortAndNotesLongPixelData) {
  TestDataset dataset = grey();
  dataset.set_native(picture_.rowRange(0, 20).clone());
  EXPECT_EQ(field_at_fault(dataset.save(folder_ / "short.dcm")), "PixelData");
  dataset.set(DCM_NumberOfFrames, "1000000000");
  EXPECT_EQ(field_at_fault(dataset.save(folder_ / "frames.dcm")), "PixelData");
  dataset = grey();
  dataset.set_native(test_picture(22, 34, CV_16UC1, 0, 4095));
  EXPECT_THAT(read_stored(dataset.save(folder_ / "long.dcm")).notes,
              Contains(HasSubstr("68 bytes more")));
}

TEST_F(DicomFileTest, NamesTheAttributeThatMakesNoSense) {
  const auto with = [&](const DcmTagKey& tag, Uint16 value) {
    TestDataset dataset = grey();
    dataset.set(tag, value);
    return field_at_fault(dataset.save(folder_ / "image.dcm"));
  };
  const auto with_text = [&](const DcmTagKey& tag, const char* value) {
    TestDataset dataset = grey();
    dataset.set(tag, value);
    return field_at_fault(dataset.save(folder_ / "image.dcm"));
  };
  EXPECT_EQ(with(DCM_Rows, 0), "Rows");
  EXPECT_EQ(with(DCM_Columns, 0), "Columns");
  EXPECT_EQ(with(DCM_BitsAllocated, 32), "BitsAllocated");
  EXPECT_EQ(with(DCM_BitsAllocated, 1), "BitsAllocated");
  EXPECT_EQ(with(DCM_BitsStored, 0), "BitsStored");
  EXPECT_EQ(with(DCM_BitsStored, 17), "BitsStored");
  EXPECT_EQ(with(DCM_HighBit, 16), "HighBit");
  EXPECT_EQ(with(DCM_HighBit, 15), "HighBit");
  EXPECT_EQ(with(DCM_PixelRepresentation, 2), "PixelRepresentation");
  EXPECT_EQ(with(DCM_SamplesPerPixel, 2), "SamplesPerPixel");
  EXPECT_EQ(with(DCM_SamplesPerPixel, 3), "SamplesPerPixel");
  EXPECT_EQ(with_text(DCM_NumberOfFrames, "1A"), "NumberOfFrames");
  EXPECT_EQ(with_text(DCM_NumberOfFrames, "-1"), "NumberOfFrames");
  EXPECT_EQ(with_text(DCM_NumberOfFrames, "99999999999"), "NumberOfFrames");
  EXPECT_EQ(with_text(DCM_PhotometricInterpretation, "YBR_FULL_422"), "PhotometricInterpretation");
  EXPECT_EQ(with_text(DCM_PhotometricInterpretation, "RGB"), "SamplesPerPixel");
}

TEST_F(DicomFileTest, NamesTheAttributeThatIsMissing) {
  for (const auto& [tag, name] :
       {std::pair{DCM_Rows, "Rows"}, std::pair{DCM_BitsAllocated, "BitsAllocated"},
        std::pair{DCM_PixelRepresentation, "PixelRepresentation"},
        std::pair{DCM_PhotometricInterpretation, "PhotometricInterpretation"},
        std::pair{DCM_PixelData, "PixelData"}}) {
    TestDataset dataset = grey();
    dataset.dataset().findAndDeleteElement(tag);
    EXPECT_EQ(field_at_fault(dataset.save(folder_ / "image.dcm")), name);
  }
}

TEST_F(DicomFileTest, HugeRowsAndColumnsAskForNoMemory) {
  register_codecs();
  for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_RLELossless,
                                        EXS_JPEGProcess14SV1, EXS_JPEG2000LosslessOnly}) {
    TestDataset dataset = grey();
    dataset.compress(syntax);
    dataset.set(DCM_Rows, Uint16{32000});
    dataset.set(DCM_Columns, Uint16{32000});
    EXPECT_EQ(field_at_fault(dataset.save(folder_ / "image.dcm", syntax)), "PixelData");
    dataset.set(DCM_Rows, Uint16{65535});
    dataset.set(DCM_Columns, Uint16{65535});
    EXPECT_EQ(field_at_fault(dataset.save(folder_ / "image.dcm", syntax)), "Rows");
  }
}

TEST_F(DicomFileTest, RefusesTransferSyntaxesThatLieOrAreUnknown) {
  register_codecs();
  TestDataset dataset = grey();
  dataset.compress(EXS_JPEGProcess14SV1);
  const Bytes jpeg = read_bytes(dataset.save(folder_ / "jpeg.dcm", EXS_JPEGProcess14SV1));
  const std::string uid = "1.2.840.10008.1.2.4.70";
  const auto with_uid = [&](const std::string& other) {
    Bytes changed = jpeg;
    const auto* text = reinterpret_cast<const std::byte*>(uid.data());
    const auto at = std::search(changed.begin(), changed.end(), text, text + uid.size());
    for (std::size_t i = 0; i < uid.size(); ++i) {
      at[static_cast<std::ptrdiff_t>(i)] = i < other.size() ? std::byte(other[i]) : std::byte{0};
    }
    write_bytes(folder_ / "changed.dcm", changed);
    return field_at_fault(folder_ / "changed.dcm");
  };
  EXPECT_EQ(with_uid("1.2.840.10008.1.2.4.90"), "PixelData");          // JPEG 2000
  EXPECT_EQ(with_uid("1.2.840.10008.1.2.5"), "PixelData");             // RLE
  EXPECT_EQ(with_uid("1.2.840.10008.1.2.4.80"), "TransferSyntaxUID");  // JPEG-LS
  EXPECT_EQ(with_uid("1.2.840.10008.9.9.9"), "TransferSyntaxUID");
  EXPECT_NE(with_uid("1.2.840.10008.1.2.1"), "");  // uncompressed
}

TEST_F(DicomFileTest, NotesConstantImages) {
  TestDataset dataset(4, 4, 16, 12, false);
  dataset.set_native(cv::Mat(4, 4, CV_16UC1, cv::Scalar(0)));
  EXPECT_THAT(read_stored(dataset.save(folder_ / "image.dcm")).notes, Contains("every value is 0"));
}

TEST_F(DicomFileTest, ManyThreadsReadAtOnce) {
  register_codecs();
  std::vector<std::filesystem::path> paths;
  for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_RLELossless,
                                        EXS_JPEGProcess14SV1, EXS_JPEG2000LosslessOnly}) {
    TestDataset dataset = grey();
    dataset.compress(syntax);
    paths.push_back(dataset.save(folder_ / (std::to_string(paths.size()) + ".dcm"), syntax));
  }
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        for (const auto& path : paths)
          wrong[i] += equal(read_stored(path).pixels, picture_) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace mpbench::dicom
