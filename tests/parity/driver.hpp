#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace mpbench::parity {

using nlohmann::json;

/// Answers one request of a parity test: JSON in, JSON out.
using Answer = json (*)(const json& request);

/// One part of parity_driver, which `parity_driver NAME` runs. Define one at the end of each file.
struct Driver {
  Driver(const std::string& name, Answer answer);
};

}  // namespace mpbench::parity
