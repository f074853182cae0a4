#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mpbench::tensorboard {

/// CRC-32C, of the polynomial 0x1EDC6F41 (RFC 3720, appendix B.4 has examples).
std::uint32_t crc32c(std::string_view bytes);

/// A record of an event file, which is TensorFlow's TFRecord: the event's length in eight bytes,
/// the checksum of these, the event, its checksum. Numbers have the least significant byte first. A
/// checksum is masked: turned by 15 bits, and a constant is added.
std::string event_record(std::string_view event);

}  // namespace mpbench::tensorboard
