#include "mpbench/io/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "mpbench/core/error.hpp"

namespace mpbench {

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw Error("OpenSSL has no SHA-256");
  }
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_hex(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

}  // namespace mpbench
