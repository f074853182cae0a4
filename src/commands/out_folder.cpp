#include "out_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <system_error>

#include "mpbench/core/error.hpp"

namespace mpbench::commands {

std::filesystem::path choose_out_folder(const std::filesystem::path& chosen,
                                        const std::string& command) {
  if (!chosen.empty()) return chosen;
  return fmt::format("mpbench-out/{}-{:%Y%m%d-%H%M%S}", command,
                     fmt::localtime(std::time(nullptr)));
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "mpbench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(fmt::format("{}: {}", name, std::generic_category().message(errno)));
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace mpbench::commands
