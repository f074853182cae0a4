#include "skipped_inputs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace mpbench::commands {

void warn_of_skipped(const std::vector<data::Quarantined>& inputs,
                     const std::filesystem::path& quarantine, std::size_t most_named) {
  for (std::size_t i = 0; i < std::min(most_named, inputs.size()); ++i) {
    spdlog::warn("left out: {}: {}: {}", inputs[i].path.string(), inputs[i].field,
                 inputs[i].problem);
  }
  spdlog::warn("{} inputs failed and are left out; all are named in {}", inputs.size(),
               quarantine.string());
}

}  // namespace mpbench::commands
