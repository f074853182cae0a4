#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace mpbench::nn {

/// The CRC-32 of zip archives.
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  // Of a null pointer, which an empty span may have, zlib returns the same 0.
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace mpbench::nn
