#pragma once

#include <string_view>

namespace mpbench::device {

/// The device that the user names. Whether this machine has it is for parse_device to say.
struct DeviceChoice {
  enum class Kind { automatic, cpu, cuda };
  Kind kind = Kind::automatic;
  int index = 0;  ///< which of the CUDA devices
};

/// Parses "auto", "cpu", "cuda" (the first) or "cuda:N"; throws UsageError for another word.
DeviceChoice parse_device_choice(std::string_view text);

}  // namespace mpbench::device
