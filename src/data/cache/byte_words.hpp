#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Whole numbers at a place in a file's bytes. The caller has made sure that they are there.
namespace mpbench::data {

constexpr std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t at,
                                   std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word = word << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  }
  return word;
}

constexpr std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t at,
                                      std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = count; i > 0; --i) {
    word = word << 8 | std::to_integer<std::uint32_t>(bytes[at + i - 1]);
  }
  return word;
}

}  // namespace mpbench::data
