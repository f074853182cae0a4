#include "crc32.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace mpbench::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the words below are little-endian");

constexpr std::uint32_t polynomial = 0xEDB88320;
constexpr std::size_t step = 8;

/// tables[k][b]: what byte b contributes when k more bytes of the same step follow it
/// (slicing-by-8: M. Kounavis and F. Berry, 2008, https://doi.org/10.1109/TC.2008.85).
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, step> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? polynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < step; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr auto tables = make_tables();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0xffffffff;
  for (; bytes.size() >= step; bytes = bytes.subspan(step)) {
    std::array<std::uint32_t, 2> words{};
    std::memcpy(words.data(), bytes.data(), step);
    words[0] ^= sum;
    sum = tables[7][words[0] & 0xff] ^ tables[6][words[0] >> 8 & 0xff] ^
          tables[5][words[0] >> 16 & 0xff] ^ tables[4][words[0] >> 24] ^
          tables[3][words[1] & 0xff] ^ tables[2][words[1] >> 8 & 0xff] ^
          tables[1][words[1] >> 16 & 0xff] ^ tables[0][words[1] >> 24];
  }
  for (const std::byte byte : bytes) {
    sum = (sum >> 8) ^ tables[0][(sum ^ static_cast<std::uint32_t>(byte)) & 0xff];
  }
  return ~sum;
}

}  // namespace mpbench::nn
