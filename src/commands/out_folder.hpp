#pragma once

#include <filesystem>
#include <string>

namespace mpbench::commands {

/// `chosen`, or a folder of this command and moment under mpbench-out/.
std::filesystem::path choose_out_folder(const std::filesystem::path& chosen,
                                        const std::string& command);

}  // namespace mpbench::commands
