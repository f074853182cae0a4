#include "mpbench/dicom/jpeg2000_encoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mpbench/core/error.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "support/dicom_dataset.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr E_TransferSyntax lossless = EXS_JPEG2000LosslessOnly;

Bytes part(const Bytes& bytes, std::size_t begin, std::size_t end) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Reads one frame given as fragments in a dataset that expects `like`.
DecodedFrame read_frame(const cv::Mat& like, int bits_stored, bool is_signed,
                        const std::vector<Bytes>& fragments, int bits_allocated = 16) {
  const TemporaryFolder folder;
  TestDataset dataset(like.rows, like.cols, bits_allocated, bits_stored, is_signed,
                      like.channels());
  dataset.set_fragments(lossless, fragments);
  return read_stored(dataset.save(folder / "frame.dcm", lossless));
}

/// The problem with PixelData that reading gives; fails the test when there is none.
std::string problem_of(const cv::Mat& like, int bits_stored, const std::vector<Bytes>& fragments) {
  const auto error =
      thrown_by<InputError>([&] { read_frame(like, bits_stored, false, fragments); });
  EXPECT_TRUE(error.has_value()) << "the damaged frame was decoded";
  if (!error) return {};
  EXPECT_EQ(error->field(), "PixelData");
  EXPECT_THAT(error->path().string(), HasSubstr("frame.dcm"));
  return error->problem();
}

/// Overwrites a big-endian field of the SIZ marker (ISO/IEC 15444-1 A.5.1); offsets count from SOC.
void set_siz(Bytes& codestream, std::size_t offset, std::uint32_t value, int bytes = 4) {
  for (int i = bytes; i-- > 0; value >>= 8) {
    codestream[offset + static_cast<std::size_t>(i)] = static_cast<std::byte>(value & 0xFF);
  }
}
constexpr std::size_t xsiz = 8;
constexpr std::size_t ysiz = 12;
constexpr std::size_t xtsiz = 24;
constexpr std::size_t ytsiz = 28;
constexpr std::size_t csiz = 40;
constexpr std::size_t ssiz = 42;
constexpr std::size_t xrsiz = 43;

TEST(Jpeg2000CodecTest, RoundTripsEveryDepthAndSign) {
  struct Case {
    int type, bits, low, high;
  };
  for (const Case& one :
       {Case{CV_8UC1, 8, 0, 255}, Case{CV_8SC1, 8, -128, 127}, Case{CV_16UC1, 10, 0, 1023},
        Case{CV_16UC1, 12, 0, 4095}, Case{CV_16UC1, 16, 0, 65535}, Case{CV_16SC1, 13, -4096, 4095},
        Case{CV_16SC1, 16, -32768, 32767}, Case{CV_8UC3, 8, 0, 255}}) {
    const cv::Mat picture = test_picture(37, 53, one.type, one.low, one.high);
    const bool is_signed = one.low < 0;
    for (const bool wrapped : {false, true}) {
      const Bytes frame = encode_jpeg2000_lossless(picture, one.bits, is_signed, wrapped);
      const int allocated = static_cast<int>(8 * picture.elemSize1());
      const DecodedFrame image = read_frame(picture, one.bits, is_signed, {frame}, allocated);
      EXPECT_TRUE(equal(image.pixels, picture)) << "type " << one.type << " bits " << one.bits;
    }
  }
}

TEST(Jpeg2000CodecTest, RoundTripsTwoFrames) {
  const cv::Mat first = test_picture(40, 30, CV_16UC1, 0, 4095, 1);
  const cv::Mat second = test_picture(40, 30, CV_16UC1, 0, 4095, 2);
  cv::Mat both;
  cv::vconcat(first, second, both);
  const TemporaryFolder folder;
  TestDataset dataset(40, 30, 16, 12, false);
  dataset.set(DCM_NumberOfFrames, "2");
  dataset.set_native(both);
  dataset.compress(lossless);
  const auto path = dataset.save(folder / "two.dcm", lossless);
  EXPECT_TRUE(equal(read_stored(path, 0).pixels, first));
  EXPECT_TRUE(equal(read_stored(path, 1).pixels, second));
}

TEST(Jpeg2000CodecTest, SameInputGivesSameBytes) {
  const cv::Mat picture = test_picture(64, 64, CV_16UC1, 0, 1000);
  EXPECT_EQ(encode_jpeg2000_lossless(picture, 10, false, false),
            encode_jpeg2000_lossless(picture, 10, false, false));
}

TEST(Jpeg2000CodecTest, EncodesOnePixelDimensions) {
  for (const auto& [rows, columns] : {std::pair{1, 9}, std::pair{9, 1}, std::pair{2, 1}}) {
    const cv::Mat picture = test_picture(rows, columns, CV_16UC1, 0, 100);
    const Bytes frame = encode_jpeg2000_lossless(picture, 12, false, false);
    EXPECT_TRUE(equal(read_frame(picture, 12, false, {frame}).pixels, picture));
  }
}

TEST(Jpeg2000CodecTest, EncoderRefusesWhatWouldNotBeLossless) {
  const cv::Mat picture = test_picture(8, 8, CV_16UC1, 0, 1024);
  EXPECT_THROW(encode_jpeg2000_lossless(picture, 10, false, false), Error);
  EXPECT_THROW(encode_jpeg2000_lossless(picture, 11, true, false), Error);
  EXPECT_THROW(encode_jpeg2000_lossless(picture, 17, false, false), Error);
  EXPECT_THROW(encode_jpeg2000_lossless(picture, 0, false, false), Error);
  EXPECT_THROW(encode_jpeg2000_lossless(cv::Mat::zeros(8, 8, CV_32FC1), 8, false, false), Error);
  EXPECT_THROW(encode_jpeg2000_lossless(cv::Mat(), 8, false, false), Error);
}

TEST(Jpeg2000CodecTest, NotesTheJp2Wrapper) {
  const cv::Mat picture = test_picture(20, 20, CV_16UC1, 0, 1023);
  const Bytes frame = encode_jpeg2000_lossless(picture, 10, false, true);
  EXPECT_THAT(read_frame(picture, 10, false, {frame}).notes, Contains(HasSubstr("JP2")));
}

TEST(Jpeg2000CodecTest, JoinsFragmentsWithoutAnOffsetTable) {
  const cv::Mat picture = test_picture(60, 60, CV_16UC1, 0, 4095);
  const Bytes frame = encode_jpeg2000_lossless(picture, 12, false, false);
  const std::vector<Bytes> fragments{part(frame, 0, 100), part(frame, 100, 1000),
                                     part(frame, 1000, frame.size())};
  EXPECT_TRUE(equal(read_frame(picture, 12, false, fragments).pixels, picture));
}

TEST(Jpeg2000CodecTest, FindsFramesAmongFragments) {
  const cv::Mat first = test_picture(60, 60, CV_16UC1, 0, 4095, 1);
  const cv::Mat second = test_picture(60, 60, CV_16UC1, 0, 4095, 2);
  const Bytes one = encode_jpeg2000_lossless(first, 12, false, false);
  const Bytes two = encode_jpeg2000_lossless(second, 12, false, false);
  const std::vector<Bytes> fragments{part(one, 0, 200), part(one, 200, one.size()), two};
  const Uint32 start_of_two =
      static_cast<Uint32>(8 + 200 + 8 + (one.size() - 200) + one.size() % 2);
  const TemporaryFolder folder;
  for (const std::vector<Uint32>& offsets : std::vector<std::vector<Uint32>>{
           {}, {0, start_of_two}, {0, 12345}, {0, 0}, {start_of_two, 0}}) {
    TestDataset dataset(60, 60, 16, 12, false);
    dataset.set(DCM_NumberOfFrames, "2");
    dataset.set_fragments(lossless, fragments, offsets);
    const auto path = dataset.save(folder / "frames.dcm", lossless);
    EXPECT_TRUE(equal(read_stored(path, 0).pixels, first));
    EXPECT_TRUE(equal(read_stored(path, 1).pixels, second));
    EXPECT_THROW(read_stored(path, 2), InputError);
  }
}

TEST(Jpeg2000CodecTest, ReadsTheDatasetsSignFromTheCodestreamsBits) {
  // A 13-bit signed value written as if unsigned: -2000 is 6192, as 8192 - 2000.
  const cv::Mat coded = row_of<std::uint16_t>({6192, 0, 4095});
  const DecodedFrame as_signed =
      read_frame(coded, 13, true, {encode_jpeg2000_lossless(coded, 13, false, false)});
  EXPECT_TRUE(equal(as_signed.pixels, row_of<std::int16_t>({-2000, 0, 4095})));
  EXPECT_THAT(as_signed.notes, Contains(HasSubstr("PixelRepresentation")));
  const cv::Mat negative = row_of<std::int16_t>({-2000, 0, 4095});
  const DecodedFrame as_unsigned =
      read_frame(coded, 13, false, {encode_jpeg2000_lossless(negative, 13, true, false)});
  EXPECT_TRUE(equal(as_unsigned.pixels, coded));
}

TEST(Jpeg2000CodecTest, KeepsValuesAboveBitsStoredAndNotesThem) {
  const cv::Mat picture = test_picture(8, 8, CV_16UC1, 0, 4095);
  const DecodedFrame image =
      read_frame(picture, 10, false, {encode_jpeg2000_lossless(picture, 12, false, false)});
  EXPECT_TRUE(equal(image.pixels, picture));
  EXPECT_THAT(image.notes, Contains(HasSubstr("exceed BitsStored")));
}

class DamagedCodestreamTest : public ::testing::Test {
 protected:
  cv::Mat picture_ = test_picture(64, 48, CV_16UC1, 0, 4095);
  Bytes frame_ = encode_jpeg2000_lossless(picture_, 12, false, false);
};

TEST_F(DamagedCodestreamTest, CutOffAnywhereFails) {
  for (const double share : {0.001, 0.01, 0.05, 0.5, 0.9, 0.99}) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(frame_.size()));
    EXPECT_NE(problem_of(picture_, 12, {part(frame_, 0, std::max<std::size_t>(size, 2))}), "")
        << share;
  }
}

TEST_F(DamagedCodestreamTest, SizeOtherThanTheDatasetsFailsBeforeDecoding) {
  set_siz(frame_, xsiz, 60000);
  set_siz(frame_, ysiz, 60000);
  set_siz(frame_, xtsiz, 60000);
  set_siz(frame_, ytsiz, 60000);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("60000 x 60000"));
}

TEST_F(DamagedCodestreamTest, ManyTilesFail) {
  set_siz(frame_, xtsiz, 1);
  set_siz(frame_, ytsiz, 1);
  picture_ = test_picture(300, 300, CV_16UC1, 0, 4095);
  set_siz(frame_, xsiz, 300);
  set_siz(frame_, ysiz, 300);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("300 x 300 tiles"));
}

TEST_F(DamagedCodestreamTest, NoTileSizeFails) {
  set_siz(frame_, xtsiz, 0);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("tiles"));
}

TEST_F(DamagedCodestreamTest, SubsampledComponentFails) {
  set_siz(frame_, xrsiz, 2, 1);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("subsampled"));
}

TEST_F(DamagedCodestreamTest, PrecisionAboveBitsAllocatedFails) {
  set_siz(frame_, ssiz, 24 - 1, 1);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("24 bits"));
}

TEST_F(DamagedCodestreamTest, ComponentCountOtherThanSamplesPerPixelFails) {
  const cv::Mat colour = test_picture(64, 48, CV_16UC3, 0, 4095);
  EXPECT_THAT(problem_of(picture_, 12, {encode_jpeg2000_lossless(colour, 12, false, false)}),
              HasSubstr("3 components"));
  set_siz(frame_, csiz, 60000, 2);
  EXPECT_THAT(problem_of(picture_, 12, {frame_}), HasSubstr("60000 components"));
}

TEST_F(DamagedCodestreamTest, SomethingElseFails) {
  EXPECT_THAT(problem_of(picture_, 12, {Bytes(200, std::byte{0x42})}),
              HasSubstr("is not a JPEG 2000 codestream"));
  EXPECT_THAT(problem_of(picture_, 12, {}), HasSubstr("no fragments"));
}

TEST_F(DamagedCodestreamTest, BrokenJp2BoxesFail) {
  Bytes wrapped = encode_jpeg2000_lossless(picture_, 12, false, true);
  EXPECT_THAT(problem_of(picture_, 12, {part(wrapped, 0, 40)}), HasSubstr("no codestream"));
  for (std::size_t i = 12; i < 16; ++i)
    wrapped[i] = std::byte{0};  // a box that claims to be the last
  EXPECT_THAT(problem_of(picture_, 12, {wrapped}), HasSubstr("no codestream"));
  wrapped[15] = std::byte{3};  // a box shorter than its own header
  EXPECT_THAT(problem_of(picture_, 12, {wrapped}), HasSubstr("no codestream"));
}

TEST_F(DamagedCodestreamTest, PaddingIsHarmless) {
  frame_.resize(frame_.size() + 501);
  EXPECT_TRUE(equal(read_frame(picture_, 12, false, {frame_}).pixels, picture_));
}

TEST_F(DamagedCodestreamTest, MissingEndMarkerFailsAndIsNamed) {
  // As the reference decoder does: nothing then tells a whole codestream from one cut off.
  EXPECT_THAT(problem_of(picture_, 12, {part(frame_, 0, frame_.size() - 2)}),
              HasSubstr("end marker is missing"));
}

TEST_F(DamagedCodestreamTest, FlippedBytesNeverCrash) {
  // What decodes to wrong pixels only a digest could tell; this is about memory and loops.
  cv::RNG random(5);
  for (int i = 0; i < 150; ++i) {
    Bytes damaged = frame_;
    for (int flips = 1 + i % 4; flips-- > 0;) {
      const int limit = i % 2 == 0 ? 200 : static_cast<int>(damaged.size());
      damaged[static_cast<std::size_t>(random.uniform(2, limit))] ^=
          static_cast<std::byte>(1 << random.uniform(0, 8));
    }
    try {
      EXPECT_EQ(read_frame(picture_, 12, false, {damaged}).pixels.size(), picture_.size());
    } catch (const InputError& error) {
      EXPECT_EQ(error.field(), "PixelData");
    }
  }
}

TEST(Jpeg2000CodecTest, AFlippedBitIsMostlyNoticed) {
  const cv::Mat picture = test_picture(96, 120, CV_16UC1, 0, 4095);
  const Bytes whole = encode_jpeg2000_lossless(picture, 12, false, false);
  const TemporaryFolder folder;
  int noticed = 0;
  constexpr int flips = 200;
  for (std::size_t i = 0; i < flips; ++i) {
    Bytes damaged = whole;
    const std::size_t begin = 400;  // well behind the headers
    damaged[begin + (whole.size() - begin - 10) * i / flips] ^= std::byte(1 << i % 8);
    TestDataset dataset(picture.rows, picture.cols, 16, 12, false);
    dataset.set_fragments(lossless, {damaged});
    dataset.save(folder / "frame.dcm", lossless);
    if (const auto error = thrown_by<InputError>([&] { read_stored(folder / "frame.dcm"); })) {
      EXPECT_EQ(error->field(), "PixelData");
      ++noticed;
    }
  }
  EXPECT_GT(noticed, flips * 3 / 4);
}

TEST(Jpeg2000CodecTest, IsNotHalvedWhereTheSignsDiffer) {
  const cv::Mat picture = test_picture(96, 120, CV_16UC1, 0, 4095);
  const Bytes frame = encode_jpeg2000_lossless(picture, 12, false, false);
  const TemporaryFolder folder;
  for (const bool is_signed : {false, true}) {
    TestDataset dataset(picture.rows, picture.cols, 16, 12, is_signed);
    dataset.set_fragments(lossless, {frame});
    DicomImage image(dataset.save(folder / "frame.dcm", lossless));
    EXPECT_EQ(image.max_reduction() > 0, !is_signed);
    if (!is_signed) continue;
    EXPECT_THROW(image.read(0, {.reduction = 1, .area = {}}), Error);
  }
}

}  // namespace
}  // namespace mpbench::dicom
