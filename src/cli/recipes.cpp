#include "recipes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "mpbench/core/error.hpp"
#include "program_folder.hpp"

namespace mpbench::cli {
namespace {

constexpr std::string_view recipe_prefix = "recipe:";

/// Where it is installed, and the build folder's link to the sources'.
std::vector<std::filesystem::path> recipe_folders() {
  return {program_folder() / "../share/mpbench/configs", program_folder() / "configs"};
}

/// The .toml files of the first of the folders that is there.
std::vector<std::filesystem::path> recipe_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& folder : recipe_folders()) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
      if (entry.path().extension() == ".toml") files.push_back(entry.path().lexically_normal());
    }
    if (!files.empty()) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string config_path(const std::string& config) {
  if (!config.starts_with(recipe_prefix)) return config;
  const std::string name = config.substr(recipe_prefix.size());
  std::vector<std::string> names;
  for (const auto& file : recipe_files()) {
    if (file.stem() == name) return file.string();
    names.push_back(file.stem().string());
  }
  if (names.empty()) {
    throw UsageError(fmt::format("--config {}: this mpbench came without recipes (looked in {})",
                                 config, recipe_folders().front().lexically_normal().string()));
  }
  throw UsageError(fmt::format("--config: unknown recipe '{}': choose {}", printable_text(name),
                               fmt::join(names, ", ")));
}

}  // namespace mpbench::cli
