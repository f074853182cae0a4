#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace mpbench {

/// A folder with files as the Linux kernel has them in /proc and /sys. A file that is written again
/// is replaced at once, so that nobody who reads meanwhile sees half of it.
class FakeMachine {
 public:
  std::filesystem::path proc() const { return folder_ / "proc"; }
  std::filesystem::path processors() const { return folder_ / "cpu"; }
  std::filesystem::path powercap() const { return folder_ / "powercap"; }

  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = folder_ / file;
    const std::filesystem::path draft = folder_ / "draft";
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(draft) << text;
    std::filesystem::rename(draft, path);
  }
  void remove(const std::string& file) const { std::filesystem::remove_all(folder_ / file); }

  /// /proc/ID/stat of a program with a name that is hard to read.
  void write_process(int id, int user, int system, int children = 0, int started = 77) const {
    write("proc/" + std::to_string(id) + "/stat",
          std::to_string(id) + " (a (b) 1 2) R 1 1 1 0 -1 4194304 98 0 0 0 " +
              std::to_string(user) + " " + std::to_string(system) + " " + std::to_string(children) +
              " 0 20 0 1 0 " + std::to_string(started) + " 3133440 360 0\n");
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace mpbench
