#include "torch_package.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <regex>
#include <string>

#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "program_folder.hpp"

namespace mpbench::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto torch_variable = "MPBENCH_LIBTORCH";
constexpr auto torch_library = "lib/libtorch_cpu.so";
/// cmake/engine_library.cmake says which; the folder is empty in a wheel.
constexpr std::string_view built_folder = MPBENCH_BUILT_LIBTORCH;
constexpr std::string_view built_version = MPBENCH_BUILT_TORCH_VERSION;

/// "2.11" of "2.11.0+cu130": with it torch's C++ functions change.
std::string release_line(std::string_view version) {
  const auto minor = version.find('.');
  return std::string(version.substr(0, version.find_first_of(".+", minor + 1)));
}

std::string remedy() {
  return fmt::format("pip install 'torch=={}.*', or set {} to the folder of one",
                     release_line(built_version), torch_variable);
}

bool holds_torch(const fs::path& folder) {
  std::error_code unreadable;
  return !folder.empty() && fs::exists(folder / torch_library, unreadable);
}

/// What pip's package says in version.py, and the archive from pytorch.org in build-version.
std::string version_of(const fs::path& folder) {
  for (const auto* name : {"version.py", "build-version"}) {
    std::ifstream file(folder / name);
    static const std::regex pattern(R"(^(?:__version__ = ')?(\d+\.\d+[^']*)'?$)");
    std::smatch found;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_match(line, found, pattern)) return found[1];
    }
  }
  return "";
}

void check_version(const fs::path& folder) {
  const std::string version = version_of(folder);
  if (version.empty() || built_version.empty() ||
      release_line(version) == release_line(built_version)) {
    return;
  }
  throw Error(fmt::format("mpbench {} was built for torch {} and found torch {} in {}: {}",
                          build_info::version(), release_line(built_version), version,
                          folder.string(), remedy()));
}

/// The folder of the torch that this Python imports; empty where it has none, or there is no such
/// Python.
fs::path torch_of_python(const std::string& python) {
  const std::string command = fmt::format(
      "'{}' -c 'import importlib.util; print(importlib.util.find_spec(\"torch\")"
      ".submodule_search_locations[0])' 2> /dev/null < /dev/null",
      python);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  while (output && std::fgets(buffer.data(), buffer.size(), output.get()) != nullptr) {
    text += buffer.data();
  }
  return text.substr(0, text.find('\n'));
}

/// For a torch that is in none of the usual places: in the site-packages that a virtual environment
/// inherits, behind a .pth file or PYTHONPATH.
fs::path torch_of_environment() {
  // This program is <environment>/lib/python3.x/site-packages/mpbench/bin/mpbench.
  const fs::path own = (program_folder() / "../../../../../bin/python3").lexically_normal();
  for (const std::string& python : {own.string(), std::string("python3")}) {
    if (python.find('\'') != std::string::npos || (python == own && !fs::exists(own))) continue;
    fs::path folder = torch_of_python(python);
    if (!holds_torch(folder)) continue;
    // The processes that a comparison starts need not ask again.
    ::setenv(torch_variable, folder.c_str(), /*overwrite=*/1);
    return folder;
  }
  return {};
}

fs::path find_torch() {
  if (const char* chosen = std::getenv(torch_variable); chosen != nullptr && *chosen != '\0') {
    if (!holds_torch(chosen)) {
      throw Error(
          fmt::format("{} is '{}', which holds no {}: set it to the folder of an installed "
                      "torch, or unset it",
                      torch_variable, chosen, torch_library));
    }
    return chosen;
  }
  if (holds_torch(built_folder)) return built_folder;
  fs::path beside = (program_folder() / "../../torch").lexically_normal();
  if (holds_torch(beside)) return beside;
  return torch_of_environment();
}

}  // namespace

void load_torch() {
  const fs::path folder = find_torch();
  if (!folder.empty()) check_version(folder);
  // The engine and libmpbench_cuda are linked with this library by its name, which the loader then
  // knows. Lazy, as libraries are at a program's start: its many symbols are bound as they are
  // called.
  const std::string library =
      folder.empty() ? "libtorch_cpu.so" : (folder / torch_library).string();
  if (dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) return;
  const char* cause = dlerror();
  if (folder.empty()) throw Error(fmt::format("there is no torch here: {}", remedy()));
  throw Error(fmt::format("cannot load the torch in {}: {}", folder.string(),
                          cause == nullptr ? "unknown error" : cause));
}

}  // namespace mpbench::cli
