#include "../../src/dicom/guarded_stream.hpp"

#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "mpbench/dicom/codecs.hpp"
#include "support/dicom_dataset.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::HasSubstr;

/// A file under construction, little endian, with explicit VRs unless told otherwise.
class FileWriter {
 public:
  explicit FileWriter(std::string syntax = "1.2.840.10008.1.2.1") {
    text_ = std::string(128, '\0') + "DICM";
    if (syntax.size() % 2 != 0) syntax.push_back('\0');
    number(0x0002, 2).number(0x0000, 2).text("UL").number(4, 2).number(8 + syntax.size(), 4);
    number(0x0002, 2).number(0x0010, 2).text("UI").number(syntax.size(), 2).text(syntax);
  }
  FileWriter& number(std::size_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text_.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }
  FileWriter& text(const std::string& text) {
    text_ += text;
    return *this;
  }
  FileWriter& tag(std::size_t group, std::size_t element) {
    return number(group, 2).number(element, 2);
  }
  FileWriter& short_element(std::size_t group, std::size_t element, const std::string& vr,
                            const std::string& value) {
    return tag(group, element).text(vr).number(value.size(), 2).text(value);
  }
  /// Sequences in sequences, of undefined length, with an element inmost.
  FileWriter& nested(int levels) {
    for (int i = 0; i < levels; ++i) {
      tag(0x0008, 0x1140).text("SQ").number(0, 2).number(0xFFFFFFFF, 4);
      tag(0xFFFE, 0xE000).number(0xFFFFFFFF, 4);
    }
    short_element(0x0008, 0x0050, "SH", "inmost");
    for (int i = 0; i < levels; ++i) {
      tag(0xFFFE, 0xE00D).number(0, 4).tag(0xFFFE, 0xE0DD).number(0, 4);
    }
    return *this;
  }
  Bytes bytes() const {
    const auto* data = reinterpret_cast<const std::byte*>(text_.data());
    return {data, data + text_.size()};
  }

 private:
  std::string text_;
};

/// All values but the large ones that nobody asked for.
std::string described(DcmFileFormat& file) {
  std::ostringstream text;
  file.print(text);
  return text.str();
}

/// Tags and lengths. Of a value that the file breaks off in, DCMTK shows whatever lay in memory.
std::string outlined(DcmFileFormat& file) {
  std::ostringstream text;
  DcmStack stack;
  while (file.nextObject(stack, OFTrue).good()) {
    text << stack.card() << ' ' << stack.top()->getTag().toString() << ' '
         << stack.top()->getLengthField() << '\n';
  }
  return text.str();
}

OFCondition load(const Bytes& bytes, const ParserLimits& limits = {}) {
  DcmFileFormat file;
  return load_guarded(bytes, file, limits);
}

class GuardedStreamTest : public ::testing::Test {
 protected:
  GuardedStreamTest() { register_codecs(); }
  Bytes image(E_TransferSyntax syntax) {
    const cv::Mat picture = test_picture(61, 54, CV_16UC1, 0, 4095);
    TestDataset dataset(picture.rows, picture.cols, 16, 12, false);
    dataset.set_native(picture);
    dataset.compress(syntax);
    DcmItem* item = nullptr;
    EXPECT_TRUE(dataset.dataset().findOrCreateSequenceItem(DCM_VOILUTSequence, item).good());
    EXPECT_TRUE(item->putAndInsertString(DCM_LUTExplanation, "none").good());
    return read_bytes(dataset.save(folder_ / "image.dcm", syntax));
  }
  /// Compares with what DCMTK itself reads from disk.
  void expect_as_load_file(const Bytes& bytes) {
    std::filesystem::remove(folder_ / "compared.dcm");  // quicker than writing over it
    write_bytes(folder_ / "compared.dcm", bytes);
    DcmFileFormat from_disk;
    DcmFileFormat from_memory;
    const OFCondition disk = from_disk.loadFile((folder_ / "compared.dcm").c_str());
    const OFCondition memory = load_guarded(bytes, from_memory);
    EXPECT_EQ(memory.good(), disk.good());
    EXPECT_STREQ(memory.text(), disk.text());
    EXPECT_EQ(outlined(from_memory), outlined(from_disk));
    if (disk.good()) {
      EXPECT_EQ(described(from_memory), described(from_disk));
    }
  }
  TemporaryFolder folder_;
};

TEST_F(GuardedStreamTest, ReadsEverySyntaxAsFromDisk) {
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit, EXS_BigEndianExplicit, EXS_RLELossless,
        EXS_JPEGProcess14SV1, EXS_JPEG2000LosslessOnly}) {
    SCOPED_TRACE(DcmXfer(syntax).getXferName());
    const Bytes whole = image(syntax);
    expect_as_load_file(whole);
    const Bytes without_meta(whole.begin() + 132, whole.end());
    expect_as_load_file(without_meta);
    // Cut in the preamble, the meta header, the dataset, and the pixels.
    for (std::size_t size = 0; size < whole.size(); size += size < 1500 ? 19 : 1997) {
      SCOPED_TRACE(size);
      expect_as_load_file(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    }
    cv::RNG random(7);
    for (int i = 0; i < 60; ++i) {
      SCOPED_TRACE(i);
      Bytes damaged = whole;
      damaged[132 + random() % 800] = std::byte(random() % 256);
      expect_as_load_file(damaged);
    }
  }
}

TEST_F(GuardedStreamTest, LargeValuesAreReadWhenAskedFor) {
  for (const E_TransferSyntax syntax :
       {EXS_LittleEndianExplicit, EXS_BigEndianExplicit, EXS_DeflatedLittleEndianExplicit}) {
    const Bytes bytes = image(syntax);
    DcmFileFormat file;
    ASSERT_TRUE(load_guarded(bytes, file).good());
    DcmElement* element = nullptr;
    ASSERT_TRUE(file.getDataset()->findAndGetElement(DCM_PixelData, element).good());
    EXPECT_FALSE(element->valueLoaded());
    // A copy reads it as well.
    DcmDataset copy(*file.getDataset());
    for (DcmDataset* dataset : {file.getDataset(), &copy}) {
      const Uint16* pixels = nullptr;
      unsigned long count = 0;
      ASSERT_TRUE(dataset->findAndGetUint16Array(DCM_PixelData, pixels, &count).good());
      const cv::Mat picture = test_picture(61, 54, CV_16UC1, 0, 4095);
      ASSERT_EQ(count, picture.total());
      EXPECT_EQ(std::memcmp(pixels, picture.data, 2 * count), 0);
    }
  }
}

TEST_F(GuardedStreamTest, EncapsulatedPixelsCanBeDecoded) {
  const Bytes bytes = image(EXS_RLELossless);
  DcmFileFormat file;
  ASSERT_TRUE(load_guarded(bytes, file).good());
  ASSERT_TRUE(file.getDataset()->chooseRepresentation(EXS_LittleEndianExplicit, nullptr).good());
  const Uint16* pixels = nullptr;
  ASSERT_TRUE(file.getDataset()->findAndGetUint16Array(DCM_PixelData, pixels).good());
  EXPECT_EQ(std::memcmp(pixels, test_picture(61, 54, CV_16UC1, 0, 4095).data, 2 * 61 * 54), 0);
}

TEST_F(GuardedStreamTest, DeflatedDatasetIsReadAsFromDisk) {
  const Bytes bytes = image(EXS_DeflatedLittleEndianExplicit);
  write_bytes(folder_ / "image.dcm", bytes);
  for (const std::size_t trailing : {0U, 1U, 5000U}) {
    Bytes padded = bytes;
    padded.resize(bytes.size() + trailing, std::byte{0x55});
    DcmFileFormat from_disk;
    DcmFileFormat from_memory;
    ASSERT_TRUE(from_disk.loadFile((folder_ / "image.dcm").c_str()).good());
    EXPECT_STREQ(load_guarded(padded, from_memory).text(), "Normal");
    from_disk.loadAllDataIntoMemory();
    from_memory.loadAllDataIntoMemory();
    EXPECT_EQ(described(from_memory), described(from_disk));
  }
}

TEST_F(GuardedStreamTest, DeflatedDatasetThatIsBadSaysSo) {
  const Bytes bytes = image(EXS_DeflatedLittleEndianExplicit);
  for (const std::size_t missing : {1U, 20U, 3000U}) {
    const Bytes cut(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(missing));
    EXPECT_STREQ(load(cut).text(), "the deflated dataset is cut off") << missing;
  }
  // Nothing checks raw deflate as a whole: some flips only change values.
  int seen = 0;
  for (std::size_t at = 400; at < bytes.size(); at += 3) {
    Bytes damaged = bytes;
    damaged[at] ^= std::byte{0x40};
    DcmFileFormat file;
    const OFCondition result = load_guarded(damaged, file);
    if (std::string(result.text()).starts_with("the deflated dataset is damaged (ZLib Error: ")) {
      ++seen;
      if (at > 1500) {
        EXPECT_TRUE(file.getDataset()->tagExists(DCM_Rows));  // what came before it is there
      }
    }
  }
  EXPECT_GT(seen, 10);
}

TEST_F(GuardedStreamTest, InflationIsLimited) {
  TestDataset zeros(1000, 1000, 16, 12, false);
  zeros.set_native(cv::Mat(1000, 1000, CV_16UC1, cv::Scalar(0)));
  const Bytes bytes =
      read_bytes(zeros.save(folder_ / "zeros.dcm", EXS_DeflatedLittleEndianExplicit));
  ASSERT_LT(bytes.size(), 4000U);
  EXPECT_TRUE(load(bytes).good());  // 2 MB from 3 KB, but little
  ParserLimits limits;
  limits.unquestioned_bytes = 1'000'000;
  EXPECT_THAT(load(bytes, limits).text(), HasSubstr("inflates to over 1000000 bytes"));
  limits.inflation_ratio = 1100;
  EXPECT_TRUE(load(bytes, limits).good());
  limits.inflated_bytes = 500'000;
  EXPECT_THAT(load(bytes, limits).text(), HasSubstr("inflates to over 500000 bytes"));
}

TEST_F(GuardedStreamTest, NestedSequencesAreReadToAReasonableDepth) {
  for (const int levels : {1, 100, 500}) {
    const Bytes bytes = FileWriter().nested(levels).bytes();
    DcmFileFormat file;
    ASSERT_STREQ(load_guarded(bytes, file).text(), "Normal") << levels;
    OFString value;
    file.getDataset()->findAndGetOFString(DCM_AccessionNumber, value, 0, OFTrue);
    EXPECT_STREQ(value.c_str(), "inmost");
  }
  // In every thread, and wherever its stack begins.
  for (const int levels : {1000, 20'000, 200'000}) {
    const Bytes bytes = FileWriter().nested(levels).bytes();
    std::string text;
    std::thread([&] { text = load(bytes).text(); }).join();
    EXPECT_EQ(text, "sequences are nested too deeply");
    EXPECT_STREQ(load(bytes).text(), "sequences are nested too deeply");
  }
}

TEST_F(GuardedStreamTest, NestedUnknownAndImplicitSequencesAreLimitedToo) {
  FileWriter unknown;
  unknown.tag(0x0009, 0x1001).text("UN").number(0, 2).number(0xFFFFFFFF, 4);
  FileWriter implicit("1.2.840.10008.1.2");
  for (FileWriter* file : {&unknown, &implicit}) {
    for (int i = 0; i < 20'000; ++i) {
      if (file == &implicit || i > 0) file->tag(0x0008, 0x1140).number(0xFFFFFFFF, 4);
      file->tag(0xFFFE, 0xE000).number(0xFFFFFFFF, 4);
    }
    EXPECT_STREQ(load(file->bytes()).text(), "sequences are nested too deeply");
  }
}

TEST_F(GuardedStreamTest, ObjectsAreCounted) {
  FileWriter empty_items;
  empty_items.tag(0x0008, 0x1140).text("SQ").number(0, 2).number(0xFFFFFFFF, 4);
  for (int i = 0; i < 20'000; ++i) empty_items.tag(0xFFFE, 0xE000).number(0, 4);
  empty_items.tag(0xFFFE, 0xE0DD).number(0, 4);
  EXPECT_STREQ(load(empty_items.bytes()).text(), "Normal");
  ParserLimits limits;
  limits.objects = 10'000;
  EXPECT_STREQ(load(empty_items.bytes(), limits).text(), "has over 10000 elements and items");
}

TEST_F(GuardedStreamTest, ElementsOfAnItemAreCountedForEachItem) {
  ParserLimits limits;
  limits.elements_in_item = 100;
  const auto with_items = [](int items, int elements) {
    FileWriter file;
    file.tag(0x0008, 0x1140).text("SQ").number(0, 2).number(0xFFFFFFFF, 4);
    for (int i = 0; i < items; ++i) {
      file.tag(0xFFFE, 0xE000).number(8 * static_cast<std::size_t>(elements), 4);
      for (int j = elements; j > 0; --j) {
        file.short_element(0x0009, static_cast<std::size_t>(j), "SH", "");
      }
    }
    return file.tag(0xFFFE, 0xE0DD).number(0, 4).bytes();
  };
  EXPECT_STREQ(load(with_items(1000, 100), limits).text(), "Normal");
  EXPECT_STREQ(load(with_items(2, 101), limits).text(), "an item has over 100 elements");
}

TEST_F(GuardedStreamTest, LengthIsNotBelieved) {
  // DCMTK would take 4 GB for the value before it reads.
  const auto expect_nothing_taken = [&](const Bytes& bytes, const DcmTagKey& tag, bool in_meta) {
    DcmFileFormat file;
    EXPECT_STREQ(load_guarded(bytes, file).text(), "I/O suspension or premature end of stream");
    DcmItem* item = file.getDataset();
    if (in_meta) item = file.getMetaInfo();
    DcmElement* element = nullptr;
    ASSERT_TRUE(item->findAndGetElement(tag, element).good());
    EXPECT_EQ(element->getLengthField(), 0xFFFFFF00);
    EXPECT_STREQ(element->loadAllDataIntoMemory().text(), "Invalid stream");
    EXPECT_FALSE(element->valueLoaded());
    expect_as_load_file(bytes);
  };
  FileWriter pixels;
  pixels.tag(0x7FE0, 0x0010).text("OW").number(0, 2).number(0xFFFFFF00, 4);
  expect_nothing_taken(pixels.text(std::string(1024, 'x')).bytes(), DCM_PixelData, false);
  // In a meta header, whose transfer syntax DCMTK asks for even if it could not be read.
  FileWriter meta;
  meta.tag(0x0002, 0x0012).text("UN").number(0, 2).number(0xFFFFFF00, 4);
  Bytes bytes = meta.text(std::string(1024, 'x')).bytes();
  bytes[140] = std::byte{0xFF};  // the header's length: it goes on
  expect_nothing_taken(bytes, DCM_ImplementationClassUID, true);
}

TEST_F(GuardedStreamTest, NothingIsNotDicom) {
  EXPECT_TRUE(load({}).bad());
  expect_as_load_file({});
  expect_as_load_file(Bytes(1, std::byte{8}));
  expect_as_load_file(Bytes(5000, std::byte{0}));
  expect_as_load_file(Bytes(5000, std::byte{0xFF}));
}

}  // namespace
}  // namespace mpbench::dicom
