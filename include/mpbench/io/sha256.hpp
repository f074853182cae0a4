#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mpbench {

/// The SHA-256 of some bytes as 64 hexadecimal digits (FIPS 180-4, through OpenSSL).
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

}  // namespace mpbench
