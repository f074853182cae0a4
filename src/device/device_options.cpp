#include "mpbench/device/device_options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "mpbench/core/error.hpp"

namespace mpbench::device {

DeviceChoice parse_device_choice(std::string_view text) {
  if (text == "auto") return {};
  if (text == "cpu") return {.kind = DeviceChoice::Kind::cpu};
  DeviceChoice choice{.kind = DeviceChoice::Kind::cuda};
  if (text == "cuda") return choice;
  if (text.starts_with("cuda:")) {
    const auto digits = text.substr(5);
    const auto* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, choice.index);
    if (parsed.ec == std::errc() && parsed.ptr == end && choice.index >= 0) return choice;
  }
  throw UsageError(fmt::format("unknown device '{}': choose auto, cpu, cuda or cuda:N", text));
}

}  // namespace mpbench::device
