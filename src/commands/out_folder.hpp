#pragma once

#include <filesystem>
#include <string>

namespace mpbench::commands {

/// `chosen`, or a folder of this command and moment under mpbench-out/.
std::filesystem::path choose_out_folder(const std::filesystem::path& chosen,
                                        const std::string& command);

/// An empty folder among the system's temporary files, which goes with all that it holds.
class TemporaryFolder {
 public:
  /// Throws Error where it cannot be made.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mpbench::commands
