#include "../../src/dicom/jpeg/jpeg_decoder.hpp"

#include <dcmtk/dcmjpeg/djrplol.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "mpbench/dicom/codecs.hpp"
#include "support/dicom_dataset.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A JPEG stream that DCMTK has encoded, and what its dataset says.
struct Encoded {
  std::string name;
  PixelFormat format;
  Bytes bytes;
};

Bytes of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(std::byte(value));
  return bytes;
}

const Bytes end_marker = of({0xFF, 0xD9});

Encoded encode(const std::string& name, E_TransferSyntax syntax, int bits, int predictor = 1) {
  register_codecs();
  const int allocated = bits > 8 ? 16 : 8;
  // A ramp with noise, and columns beside which a block is not whole.
  cv::Mat picture = test_picture(75, 93, allocated == 16 ? CV_16UC1 : CV_8UC1, 0, 30);
  for (int row = 0; row < picture.rows; ++row) {
    picture.row(row) += cv::Scalar(row * ((1 << bits) - 40) / picture.rows);
  }
  TestDataset dataset(picture.rows, picture.cols, allocated, bits, false);
  dataset.set_native(picture);
  const DJ_RPLossless parameters(predictor, 0);
  const bool is_lossless = syntax == EXS_JPEGProcess14;
  EXPECT_TRUE(
      dataset.dataset().chooseRepresentation(syntax, is_lossless ? &parameters : nullptr).good());
  DcmElement* element = nullptr;
  dataset.dataset().findAndGetElement(DCM_PixelData, element);
  DcmPixelSequence* sequence = nullptr;
  DcmPixelItem* item = nullptr;
  Uint8* data = nullptr;
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  EXPECT_TRUE(
      pixels->getEncapsulatedRepresentation(syntax, is_lossless ? &parameters : nullptr, sequence)
          .good());
  EXPECT_TRUE(sequence->getItem(item, 1).good() && item->getUint8Array(data).good());
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  Encoded encoded{name, read_pixel_format(dataset.dataset()), {begin, begin + item->getLength()}};
  // DCMTK makes the length even by a fill byte before the end marker.
  encoded.bytes.resize(encoded.bytes.size() - 2);
  while (encoded.bytes.back() == std::byte{0xFF}) encoded.bytes.pop_back();
  encoded.bytes.insert(encoded.bytes.end(), end_marker.begin(), end_marker.end());
  return encoded;
}

std::vector<Encoded> encode_all() {
  std::vector<Encoded> all{
      encode("baseline", EXS_JPEGProcess1, 8),       encode("extended 8", EXS_JPEGProcess2_4, 8),
      encode("extended 12", EXS_JPEGProcess2_4, 12), encode("SV1 8", EXS_JPEGProcess14SV1, 8),
      encode("SV1 12", EXS_JPEGProcess14SV1, 12),    encode("SV1 16", EXS_JPEGProcess14SV1, 16)};
  for (int predictor = 2; predictor <= 7; ++predictor) {
    all.push_back(encode("lossless, predictor " + std::to_string(predictor), EXS_JPEGProcess14, 12,
                         predictor));
  }
  return all;
}

Bytes decode(const Encoded& encoded, std::span<const std::byte> bytes,
             std::vector<std::string>& notes) {
  Bytes out(encoded.format.frame_bytes());
  decode_jpeg(bytes, encoded.format, out, notes);
  return out;
}

/// What is said against a stream; empty when it is decoded.
std::string refused(const Encoded& encoded, const Bytes& bytes) {
  std::vector<std::string> notes;
  const auto error = thrown_by<FieldError>([&] { decode(encoded, bytes, notes); });
  if (!error) return "";
  EXPECT_EQ(error->field(), "PixelData");
  return error->what();
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes without_end(const Encoded& encoded) {
  return {encoded.bytes.begin(), encoded.bytes.end() - 2};
}

/// Where the entropy-coded data begin.
std::size_t scan_begin(const Bytes& bytes) {
  const Bytes marker = of({0xFF, 0xDA});
  const auto at = std::search(bytes.begin(), bytes.end(), marker.begin(), marker.end());
  const auto place = static_cast<std::size_t>(at - bytes.begin());
  return place + 2 + 256 * std::to_integer<std::size_t>(bytes[place + 2]) +
         std::to_integer<std::size_t>(bytes[place + 3]);
}

TEST(JpegDecoderTest, RefusesStreamsThatEndEarly) {
  for (const Encoded& encoded : encode_all()) {
    SCOPED_TRACE(encoded.name);
    ASSERT_EQ(refused(encoded, encoded.bytes), "");
    const std::size_t begin = scan_begin(encoded.bytes);
    // Of the last byte hardly a bit may be data.
    const std::size_t last = encoded.bytes.size() - 4;
    for (std::size_t i = 0; i <= 40; ++i) {
      const std::size_t length = begin + (last - begin) * i / 40;
      const Bytes cut(encoded.bytes.begin(),
                      encoded.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_THAT(refused(encoded, cut), HasSubstr("end marker is missing")) << length;
      EXPECT_THAT(refused(encoded, joined({cut, Bytes(1)})), HasSubstr("end marker is missing"))
          << length << " and a zero";
      EXPECT_THAT(refused(encoded, joined({cut, end_marker})), HasSubstr("premature end"))
          << length;
      if (i > 30) continue;  // a few zeros may happen to be as many values
      const Bytes zeros(encoded.bytes.size() - length);
      EXPECT_NE(refused(encoded, joined({cut, zeros})), "") << length << " and zeros";
    }
  }
}

TEST(JpegDecoderTest, RefusesBadCodes) {
  for (const Encoded& encoded : encode_all()) {
    SCOPED_TRACE(encoded.name);
    const std::size_t begin = scan_begin(encoded.bytes);
    for (std::size_t i = 1; i < 10; ++i) {
      // No code consists of ones alone (ITU-T T.81 C.2).
      Bytes damaged = encoded.bytes;
      const std::size_t at = begin + (damaged.size() - begin - 40) * i / 10;
      for (std::size_t k = 0; k < 32; ++k) {
        damaged[at + k] = k % 2 == 0 ? std::byte{0xFF} : std::byte{0};
      }
      EXPECT_THAT(refused(encoded, damaged), HasSubstr("damaged: bad Huffman code")) << at;
    }
  }
}

TEST(JpegDecoderTest, RefusesDataLeftOver) {
  for (const Encoded& encoded : encode_all()) {
    SCOPED_TRACE(encoded.name);
    const Bytes left(9, std::byte{0x35});
    EXPECT_THAT(refused(encoded, joined({without_end(encoded), left, end_marker})),
                HasSubstr("extraneous bytes"));
  }
}

TEST(JpegDecoderTest, TakesWhatIsOddAndWhole) {
  struct Case {
    const char* name;
    Bytes after;  // the entropy-coded data
    const char* note;
  };
  const Case cases[] = {
      {"no end marker", {}, "no end marker"},
      {"no end marker, zeros", Bytes(7), "no end marker"},
      {"zeros after the end", joined({end_marker, Bytes(1000)}), ""},
      {"fill bytes before the end", of({0xFF, 0xFF, 0xFF, 0xFF, 0xD9}), ""},
      {"zeros before the end", joined({Bytes(12), end_marker}), "extraneous bytes before marker"},
      {"more after the end", joined({end_marker, Bytes(50, std::byte{'x'})}), ""}};
  for (const Encoded& encoded : encode_all()) {
    std::vector<std::string> notes;
    const Bytes expected = decode(encoded, encoded.bytes, notes);
    EXPECT_THAT(notes, IsEmpty());
    for (const Case& one : cases) {
      SCOPED_TRACE(encoded.name + ": " + one.name);
      notes.clear();
      EXPECT_EQ(decode(encoded, joined({without_end(encoded), one.after}), notes), expected);
      if (std::string(one.note).empty()) {
        EXPECT_THAT(notes, IsEmpty());
      } else {
        EXPECT_THAT(notes, Contains(HasSubstr(one.note)));
      }
    }
  }
}

TEST(JpegDecoderTest, NotesAnUnknownHeaderVersion) {
  const Encoded encoded = encode("SV1", EXS_JPEGProcess14SV1, 12);
  const Bytes start(encoded.bytes.begin(), encoded.bytes.begin() + 2);
  const Bytes rest(encoded.bytes.begin() + 2, encoded.bytes.end());
  const Bytes header = of({0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 3, 1, 0, 0, 1, 0, 1, 0, 0});
  std::vector<std::string> notes;
  decode(encoded, joined({start, header, rest}), notes);
  EXPECT_THAT(notes, Contains(HasSubstr("JFIF revision number 3.01")));
}

TEST(JpegDecoderTest, ThreadsHearOfTheirOwnDamageAlone) {
  const Encoded whole = encode("SV1", EXS_JPEGProcess14SV1, 12);
  Encoded damaged = whole;
  damaged.bytes.resize(damaged.bytes.size() / 2);
  damaged.bytes = joined({damaged.bytes, end_marker});
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    threads.emplace_back([&, i] {
      const Encoded& mine = i % 2 == 0 ? whole : damaged;
      for (int round = 0; round < 100; ++round) {
        wrong[i] += refused(mine, mine.bytes).empty() == (i % 2 == 0) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace mpbench::dicom
