#include "event_record.hpp"

#include <bit>
#include <boost/crc.hpp>
#include <concepts>
#include <cstddef>

namespace mpbench::tensorboard {
namespace {

template <std::unsigned_integral Word>
void append_little_endian(std::string& bytes, Word word) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    bytes.push_back(static_cast<char>(word >> (8 * i) & 0xFFU));
  }
}

/// So that the checksum of bytes that hold checksums is no special case (TensorFlow, crc32c.h).
std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return static_cast<std::uint32_t>(crc.checksum());
}

std::string event_record(std::string_view event) {
  std::string record;
  record.reserve(event.size() + 16);
  append_little_endian(record, static_cast<std::uint64_t>(event.size()));
  append_little_endian(record, masked_crc32c(record));
  record += event;
  append_little_endian(record, masked_crc32c(event));
  return record;
}

}  // namespace mpbench::tensorboard
