#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

/// Unsigned integers at a place in a file's bytes, whatever the machine's byte order. The caller
/// has made sure that they are there, and that `Word` holds `count` bytes.
namespace mpbench {

/// `count` bytes from `at` on, the most significant first.
template <std::unsigned_integral Word = std::uint32_t>
constexpr Word big_endian(std::span<const std::byte> bytes, std::size_t at,
                          std::size_t count = sizeof(Word)) {
  Word word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word = static_cast<Word>(word << 8 | std::to_integer<Word>(bytes[at + i]));
  }
  return word;
}

/// `count` bytes from `at` on, the least significant first.
template <std::unsigned_integral Word = std::uint32_t>
constexpr Word little_endian(std::span<const std::byte> bytes, std::size_t at,
                             std::size_t count = sizeof(Word)) {
  Word word = 0;
  for (std::size_t i = count; i > 0; --i) {
    word = static_cast<Word>(word << 8 | std::to_integer<Word>(bytes[at + i - 1]));
  }
  return word;
}

}  // namespace mpbench
