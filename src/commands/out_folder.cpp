#include "out_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace mpbench::commands {

std::filesystem::path choose_out_folder(const std::filesystem::path& chosen,
                                        const std::string& command) {
  if (!chosen.empty()) return chosen;
  return fmt::format("mpbench-out/{}-{:%Y%m%d-%H%M%S}", command,
                     fmt::localtime(std::time(nullptr)));
}

}  // namespace mpbench::commands
