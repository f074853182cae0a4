#include "../../src/dicom/jpeg2000/jpeg2000_structure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../src/dicom/pixel_format.hpp"
#include "mpbench/dicom/jpeg2000_encoder.hpp"
#include "support/dicom_dataset.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

using ::testing::HasSubstr;

struct Style {
  std::uint64_t levels = 5;
  std::vector<std::uint64_t> precincts;  // from the lowest resolution on; height and width exponent
  std::uint64_t code_block = 6;          // exponent
  std::uint64_t layers = 1;
};

/// Codestreams made field by field: headers are all that is read of them.
class Codestream {
 public:
  Codestream& number(std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) bytes_.push_back(std::byte(value >> (8 * i)));
    return *this;
  }
  static Codestream begin(std::uint64_t width, std::uint64_t height, std::uint64_t tile_width,
                          std::uint64_t tile_height, std::uint64_t left = 0, std::uint64_t top = 0,
                          std::uint64_t components = 1) {
    Codestream made;
    made.number(0xFF4F, 2).number(0xFF51, 2).number(38 + 3 * components, 2).number(0, 2);
    made.number(left + width, 4).number(top + height, 4).number(left, 4).number(top, 4);
    made.number(tile_width, 4).number(tile_height, 4).number(0, 4).number(0, 4);
    made.number(components, 2);
    for (std::uint64_t i = 0; i < components; ++i) made.number(7, 1).number(0x0101, 2);
    return made;
  }
  Codestream& style(const Style& style) {
    number(0xFF52, 2).number(12 + style.precincts.size(), 2);
    number(style.precincts.empty() ? 0 : 1, 1).number(0, 1).number(style.layers, 2).number(0, 1);
    return common(style);
  }
  Codestream& component_style(std::uint64_t component, const Style& style) {
    number(0xFF53, 2).number(9 + style.precincts.size(), 2).number(component, 1);
    number(style.precincts.empty() ? 0 : 1, 1);
    return common(style);
  }
  /// `header` are marker segments of its own.
  Codestream& tile_part(std::uint64_t tile, const Codestream& header = {}, int of = 1) {
    number(0xFF90, 2).number(10, 2).number(tile, 2).number(24 + header.bytes_.size(), 4);
    number(0, 1).number(static_cast<std::uint64_t>(of), 1);
    bytes_.insert(bytes_.end(), header.bytes_.begin(), header.bytes_.end());
    return number(0xFF93, 2).number(0, 8).number(0, 2);
  }
  CodestreamStructure structure() const { return read_structure(bytes_); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Codestream& common(const Style& style) {
    number(style.levels, 1).number(style.code_block - 2, 1).number(style.code_block - 2, 1);
    number(0, 1).number(1, 1);
    for (const std::uint64_t size : style.precincts) number(size, 1);
    return *this;
  }
  Bytes bytes_;
};

std::string refused(const CodestreamStructure& structure, std::size_t bytes) {
  const auto error = thrown_by<FieldError>([&] { check_complexity(structure, bytes); });
  if (!error) return "";
  EXPECT_EQ(error->field(), "PixelData");
  return error->what();
}

TEST(Jpeg2000StructureTest, CountsWhatAnEncoderWrote) {
  const cv::Mat picture = test_picture(200, 300, CV_16UC1, 0, 4095);
  const Bytes codestream = encode_jpeg2000_lossless(picture, 12, false, false);
  const CodestreamStructure structure = read_structure(codestream);
  const int resolutions = structure.fewest_levels + 1;
  EXPECT_EQ(resolutions, 6);  // what OpenJPEG writes where a side has 32 pixels or more
  EXPECT_EQ(structure.precincts, resolutions);  // one each where no size is given
  EXPECT_EQ(structure.packets, resolutions);
  EXPECT_GE(structure.code_blocks, 20);  // of 64 x 64
  EXPECT_LT(structure.code_blocks, 80);
  EXPECT_EQ(structure.tiles, 1U);
  EXPECT_EQ(structure.incomplete_tiles, 0U);
  EXPECT_EQ(refused(structure, codestream.size()), "");
}

TEST(Jpeg2000StructureTest, ReachesTheEndOnlyWhole) {
  const cv::Mat picture = test_picture(200, 300, CV_16UC1, 0, 4095);
  const Bytes whole = encode_jpeg2000_lossless(picture, 12, false, false);
  for (const std::size_t missing : {1U, 2U, 3U, 200U}) {
    EXPECT_FALSE(read_structure(std::span(whole).first(whole.size() - missing)).reaches_end);
  }
  // Bytes taken out of the middle: the end marker is there, and not where it should be.
  Bytes shortened = whole;
  shortened.erase(shortened.begin() + 1000, shortened.begin() + 1100);
  EXPECT_FALSE(read_structure(shortened).reaches_end);
}

TEST(Jpeg2000StructureTest, TellsTheFewestLevels) {
  auto made = Codestream::begin(64, 64, 64, 64, 0, 0, 2);
  made.style({.levels = 4, .precincts = {}}).component_style(1, {.levels = 2, .precincts = {}});
  made.tile_part(0);
  EXPECT_EQ(made.structure().fewest_levels, 2);
  EXPECT_EQ(Codestream::begin(64, 64, 64, 64).structure().fewest_levels, 0) << "no COD";
}

TEST(Jpeg2000StructureTest, CountsPrecinctsByTheStandard) {
  // 100 x 50 pixels in precincts of 16 x 8: 7 x 7; halved, 50 x 25 in 32 x 32: 2 x 1; 25 x 13: 1.
  auto made = Codestream::begin(100, 50, 100, 50);
  made.style({.levels = 2, .precincts = {0xFF, 0x55, 0x34}, .layers = 3}).tile_part(0);
  EXPECT_EQ(made.structure().precincts, 49 + 2 + 1);
  EXPECT_EQ(made.structure().packets, 3 * 52);
  // From column 7 on, 16-wide precincts are cut at 16, 32, ...: 7 to 107 touches 0 to 6; from row 5
  // on, 8-high ones 0 to 6.
  auto offset = Codestream::begin(100, 50, 107, 55, 7, 5);
  offset.style({.levels = 0, .precincts = {0x34}}).tile_part(0);
  EXPECT_EQ(offset.structure().precincts, 7 * 7);
  // Four tiles of 64 x 32 in precincts of 64 x 64, three components; the last tiles are narrower.
  auto tiles = Codestream::begin(100, 50, 64, 32, 0, 0, 3);
  tiles.style({.levels = 1, .precincts = {0x66, 0x66}});
  EXPECT_EQ(tiles.structure().precincts, 2 * 4 * 3);
  EXPECT_EQ(tiles.structure().tiles, 4U);
  // A resolution that is halved away has none: 3 x 3 pixels in tiles of 1, at most one halving.
  auto pixels = Codestream::begin(3, 3, 1, 1);
  pixels.style({.levels = 1});
  EXPECT_EQ(pixels.structure().precincts, 9 + 4);
}

TEST(Jpeg2000StructureTest, TakesTheFinestStyleThereIs) {
  const Style coarse{.levels = 1, .precincts = {0xFF, 0xFF}};
  const Style fine{.levels = 1, .precincts = {0xFF, 0x11}};
  auto component = Codestream::begin(64, 64, 64, 64, 0, 0, 2);
  component.style(coarse).component_style(1, fine).tile_part(0);
  EXPECT_EQ(component.structure().precincts, 2 * (1 + 32 * 32));
  auto tile = Codestream::begin(64, 64, 64, 64);
  Codestream header;
  header.style({.levels = 1, .precincts = {0xFF, 0x11}, .layers = 9});
  tile.style(coarse).tile_part(0, header);
  EXPECT_EQ(tile.structure().packets, 9 * (1 + 32 * 32));
}

TEST(Jpeg2000StructureTest, FindsTilesThatAreNotThere) {
  const auto with_tiles = [](const std::vector<std::uint64_t>& tiles) {
    auto made = Codestream::begin(64, 64, 32, 32);
    made.style({.levels = 1});
    for (const std::uint64_t tile : tiles) made.tile_part(tile);
    return made.number(0xFFD9, 2).structure().incomplete_tiles;
  };
  EXPECT_EQ(with_tiles({0, 1, 2, 3}), 0U);
  EXPECT_EQ(with_tiles({3, 1, 0, 2, 2}), 0U);
  EXPECT_EQ(with_tiles({0, 1, 3}), 1U);
  EXPECT_EQ(with_tiles({0, 1, 3, 4, 65535}), 1U);
  EXPECT_EQ(with_tiles({}), 4U);
  // Two tile-parts announced, one there.
  auto parts = Codestream::begin(64, 64, 64, 64);
  parts.style({}).tile_part(0, {}, 2);
  EXPECT_EQ(parts.structure().incomplete_tiles, 1U);
  EXPECT_EQ(parts.tile_part(0, {}, 0).structure().incomplete_tiles, 0U);
}

TEST(Jpeg2000StructureTest, RefusesWhatNoImageNeeds) {
  // A mammogram of RSNA's size, as encoders write it, and in precincts as small as are in use.
  auto honest = Codestream::begin(4915, 5355, 4915, 5355);
  honest.style({});
  EXPECT_EQ(refused(honest.structure(), 5'000'000), "");
  auto fine = Codestream::begin(4915, 5355, 256, 256);
  fine.style({.precincts = {0x77, 0x77, 0x77, 0x77, 0x77, 0x77}, .code_block = 5, .layers = 20});
  EXPECT_EQ(refused(fine.structure(), 5'000'000), "");

  auto tiny = Codestream::begin(8192, 8000, 8192, 8000);
  tiny.style({.precincts = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11}});
  EXPECT_THAT(refused(tiny.structure(), 100'000'000), HasSubstr("precincts, over 262144"));
  auto blocks = Codestream::begin(8192, 8000, 8192, 8000);
  blocks.style({.code_block = 2});
  EXPECT_THAT(refused(blocks.structure(), 100'000'000), HasSubstr("code-blocks, over 1048576"));
  auto layers = Codestream::begin(64, 64, 64, 64);
  layers.style({.levels = 2, .layers = 65535});
  EXPECT_EQ(refused(layers.structure(), 4000), "the codestream has 196605 packets in 4000 bytes");
}

TEST(Jpeg2000StructureTest, ReadsDamagedHeadersAsFarAsTheyGo) {
  const Bytes whole =
      encode_jpeg2000_lossless(test_picture(50, 60, CV_8UC1, 0, 255), 8, false, false);
  for (std::size_t size = 50; size < whole.size(); size += size < 400 ? 1 : 61) {
    read_structure(std::span(whole).first(size));
  }
  cv::RNG random(3);
  for (int i = 0; i < 2000; ++i) {
    Bytes damaged = whole;
    for (int j = 0; j < 3; ++j) damaged[45 + random() % 150] = std::byte(random() % 256);
    EXPECT_LE(read_structure(damaged).tiles, 1U);
  }
}

}  // namespace
}  // namespace mpbench::dicom
