#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mpbench::nn {

/// The CRC-32 of zip archives (reflected polynomial 0xEDB88320), eight bytes a step: checking a
/// network of 100 MB takes some 50 ms, not the quarter of a second that one byte a step takes.
std::uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace mpbench::nn
