#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Markers of a JPEG stream (ITU-T T.81 table B.1): the byte after FF.
namespace mpbench::jpeg {

inline constexpr std::uint32_t progressive_frame = 0xC2;
inline constexpr std::uint32_t start_of_image = 0xD8;
inline constexpr std::uint32_t end_of_image = 0xD9;
inline constexpr std::uint32_t start_of_scan = 0xDA;
inline constexpr std::uint32_t app1 = 0xE1;

/// SOF0 to SOF15, without DHT, JPG and DAC, which are among them.
constexpr bool is_frame_header(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// RST0 to RST7.
constexpr bool is_restart(std::uint32_t marker) { return marker >= 0xD0 && marker <= 0xD7; }

/// Whether bytes begin with SOI and another marker.
constexpr bool begins_stream(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0xFF} &&
         bytes[1] == std::byte{start_of_image} && bytes[2] == std::byte{0xFF};
}

}  // namespace mpbench::jpeg
