#include "installation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::cli {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> existing(const std::vector<fs::path>& candidates) {
  std::error_code error;
  for (const fs::path& path : candidates) {
    if (fs::exists(path, error)) return path;
  }
  return std::nullopt;
}

}  // namespace

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

fs::path recipe_file(const std::string& name) {
  const auto folder = existing(
      {program_folder() / "configs", program_folder().parent_path() / "share/mpbench/configs"});
  if (!folder) throw UsageError("--config recipe: this mpbench was installed without its recipes");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(*folder)) {
    if (entry.path().extension() != ".toml") continue;
    if (entry.path().stem() == name) return entry.path();
    names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  throw UsageError(fmt::format("--config recipe:{}: there is no such recipe; there are {}", name,
                               fmt::join(names, ", ")));
}

std::optional<fs::path> libtorch_folder() {
  if (const char* named = std::getenv("MPBENCH_LIBTORCH"); named != nullptr && *named != '\0') {
    return named;
  }
  const fs::path program = program_folder();
  if (const auto built_with = existing({program / "libtorch"})) return built_with;
  // site-packages/mpbench/bin/mpbench
  if (existing({program.parent_path() / "__main__.py"})) {
    return program.parent_path().parent_path() / "torch";
  }
  return std::nullopt;
}

void set_dicom_dictionary() {
  const fs::path dictionary = program_folder().parent_path() / "share/mpbench/dcmtk/dicom.dic";
  if (existing({dictionary})) ::setenv("DCMDICTPATH", dictionary.c_str(), /*overwrite=*/0);
}

}  // namespace mpbench::cli
