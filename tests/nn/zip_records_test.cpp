#include "../../src/nn/torch_file/zip_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"
#include "support/pth_bytes.hpp"

namespace mpbench::nn {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<ZipEntry> three{{"a/x", "first"}, {"a/y", ""}, {"a/z", "the third"}};

ZipRecords read(const std::string& zip) { return {as_bytes(zip), "x.pth"}; }

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Writes a number over what follows the n-th `signature`.
template <typename Number>
std::string patch(std::string zip, std::string_view signature, std::size_t nth, std::size_t offset,
                  Number number) {
  std::size_t at = zip.find(signature);
  for (std::size_t i = 0; i < nth; ++i) at = zip.find(signature, at + 1);
  return zip.replace(at + offset, sizeof number, number_bytes(number));
}

void expect_refused_zip(const std::string& zip, const std::string& complaint) {
  EXPECT_THAT([&] { (void)read(zip); }, ThrowsWith<InputError>(complaint));
}

constexpr std::string_view local = "PK\x03\x04";
constexpr std::string_view central = "PK\x01\x02";
constexpr std::string_view end64 = "PK\x06\x06";
constexpr std::string_view locator = "PK\x06\x07";

TEST(Crc32Test, HasTheCheckValueOfItsPolynomial) {
  // "123456789" is the check of the catalogue at https://reveng.sourceforge.io/crc-catalogue.
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(ZipRecordsTest, ReadsRecordsByName) {
  const std::string zip = zip_archive(three);
  const ZipRecords records = read(zip);
  EXPECT_EQ(text(records.bytes("a/x")), "first");
  EXPECT_EQ(text(records.bytes("a/y")), "");
  EXPECT_EQ(text(records.bytes("a/z")), "the third");
  EXPECT_EQ(records.bytes("a/z").size(), 9U);
  EXPECT_TRUE(records.contains("a/y"));
  EXPECT_FALSE(records.contains("a/w"));
  EXPECT_THAT([&] { (void)records.bytes("a/w"); },
              ThrowsMessage<InputError>("x.pth: a/w: the archive has no such record"));
}

TEST(ZipRecordsTest, ReadsAnArchiveWithoutZip64) {
  std::string zip = zip_archive(three);
  const std::size_t at = zip.find(end64);
  zip.erase(at, zip.find("PK\x05\x06") - at);
  EXPECT_EQ(text(read(zip).bytes("a/z")), "the third");
}

TEST(ZipRecordsTest, ReadsSizesAndPlacesOf64Bits) {
  std::string zip = zip_archive({{"a/x", "first"}});
  const std::size_t at = zip.find(central);
  std::string entry = zip.substr(at, zip.find(end64) - at);
  const std::uint32_t saturated = 0xffffffff;
  entry.replace(20, 8, number_bytes(saturated) + number_bytes(saturated));
  entry.replace(30, 2, number_bytes(std::uint16_t{28}));
  entry.replace(42, 4, number_bytes(saturated));
  entry += number_bytes(std::uint16_t{1}) + number_bytes(std::uint16_t{24}) +
           number_bytes(std::uint64_t{5}) + number_bytes(std::uint64_t{5}) +
           number_bytes(std::uint64_t{0});
  const std::string wide = zip.substr(0, at) + entry + "PK\x06\x06" + std::string(20, '\0') +
                           number_bytes(std::uint64_t{1}) + number_bytes(std::uint64_t{1}) +
                           number_bytes(std::uint64_t{entry.size()}) +
                           number_bytes(std::uint64_t{at}) + "PK\x06\x07" + std::string(4, '\0') +
                           number_bytes(std::uint64_t{at + entry.size()}) +
                           number_bytes(std::uint32_t{1}) + "PK\x05\x06" +
                           std::string(18, '\xff').replace(16, 2, 2, '\0');
  EXPECT_EQ(text(read(wide).bytes("a/x")), "first");
}

TEST(ZipRecordsTest, ComparesChecksums) {
  std::string zip = zip_archive(three);
  zip[zip.find("third")] = 'b';
  const ZipRecords records = read(zip);
  EXPECT_EQ(text(records.bytes("a/x")), "first");
  EXPECT_THAT([&] { (void)records.bytes("a/z"); },
              ThrowsMessage<InputError>(HasSubstr("a/z: it is damaged")));
}

TEST(ZipRecordsTest, TakesAChecksumOfZeroForNone) {
  // torch.serialization.set_crc32_options(False)
  std::string zip = patch(zip_archive(three), central, 2, 16, std::uint32_t{0});
  zip[zip.find("third")] = 'b';
  EXPECT_EQ(text(read(zip).bytes("a/z")), "the bhird");
}

TEST(ZipRecordsTest, RefusesWhatTorchNeverWrites) {
  expect_refused_zip(zip_archive({{"a/x", "first", 0, 1}}), "a/x: it is encrypted");
  expect_refused_zip(zip_archive({{"a/x", "first"}, {"a/x", "second"}}),
                     "two records have this name");
}

TEST(ZipRecordsTest, RefusesACompressedRecordWhenItIsAskedFor) {
  const std::string zip = zip_archive({{"a/x", "first", 8}, {"a/y", "second"}});
  const ZipRecords records = read(zip);
  EXPECT_TRUE(records.contains("a/x"));
  EXPECT_EQ(text(records.bytes("a/y")), "second");
  EXPECT_THAT([&] { (void)records.bytes("a/x"); },
              ThrowsMessage<InputError>(HasSubstr("a/x: it is compressed (method 8)")));
}

TEST(ZipRecordsTest, RefusesRecordsThatOverlap) {
  const std::string zip = zip_archive(three);
  expect_refused_zip(patch(zip, central, 2, 42, std::uint32_t{0}), "overlaps another record");
  // One whose bytes reach into the next, as nested archives that unpack to terabytes do.
  expect_refused_zip(
      patch(patch(zip, central, 0, 20, std::uint32_t{100}), central, 0, 24, std::uint32_t{100}),
      "overlaps another record");
}

TEST(ZipRecordsTest, RefusesADirectoryThatDisagreesWithTheRecords) {
  const std::string zip = zip_archive(three);
  expect_refused_zip(patch(zip, central, 0, 46, 'b'), "its header and the zip directory disagree");
  expect_refused_zip(patch(zip, local, 0, 8, std::uint16_t{8}), "disagree");
  expect_refused_zip(patch(zip, local, 0, 6, std::uint16_t{0}),
                     "disagree");  // then sizes would be here
  expect_refused_zip(patch(zip, local, 0, 0, 'Q'), "a/x: there is no record at 0");
  expect_refused_zip(patch(zip, central, 1, 0, 'Q'), "there is no entry at");
  expect_refused_zip(patch(zip, central, 0, 24, std::uint32_t{6}),
                     "its compressed and uncompressed sizes differ");
  expect_refused_zip(patch(zip, central, 2, 42, std::uint32_t{0xfffffff0}), "a/z: ");
}

TEST(ZipRecordsTest, RefusesSizesBeyondTheFile) {
  const std::string zip = zip_archive(three);
  const std::uint32_t large = 0xfffffff0;
  expect_refused_zip(patch(patch(zip, central, 2, 20, large), central, 2, 24, large),
                     "a/z: its 4294967280 bytes reach beyond");
  expect_refused_zip(patch(zip, central, 0, 28, std::uint16_t{0xffff}),
                     "zip directory: 65535 bytes");
  expect_refused_zip(patch(zip, end64, 0, 40, ~std::uint64_t{0}),
                     "it reaches beyond the end record");
  expect_refused_zip(patch(zip, end64, 0, 48, ~std::uint64_t{0}),
                     "it reaches beyond the end record");
  expect_refused_zip(patch(zip, end64, 0, 32, std::uint64_t{1} << 40),
                     "expected 1099511627776 entries, found 3");
  expect_refused_zip(patch(zip, locator, 0, 8, ~std::uint64_t{0}), "zip64 directory: 56 bytes");
  expect_refused_zip(patch(zip, locator, 0, 8, std::uint64_t{0}), "its end is not where");
}

TEST(ZipRecordsTest, RefusesEveryTruncation) {
  const std::string zip = zip_archive(three);
  for (std::size_t size = 0; size < zip.size(); ++size) {
    EXPECT_THROW((void)read(zip.substr(0, size)), InputError) << size;
  }
  expect_refused_zip(zip.substr(0, 100),
                     "zip directory: its end is missing: the file is truncated");
}

}  // namespace
}  // namespace mpbench::nn
