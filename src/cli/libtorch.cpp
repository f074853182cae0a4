#include "libtorch.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "installation.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::cli {
namespace {

constexpr std::string_view built_for = MPBENCH_TORCH_VERSION;

/// "2.11" of "2.11.0+cu130".
std::string_view minor_version(std::string_view version) {
  const std::size_t minor = version.find('.');
  if (minor == std::string_view::npos) return version;
  return version.substr(0, version.find_first_not_of("0123456789", minor + 1));
}

/// From version.py of Python's package, or build-version of an archive; nothing where neither
/// tells.
std::optional<std::string> version_of(const std::filesystem::path& libtorch) {
  std::ifstream package(libtorch / "version.py");
  for (std::string line; std::getline(package, line);) {
    if (!line.starts_with("__version__ = ")) continue;
    const std::size_t quote = line.find('\'');
    return line.substr(quote + 1, line.rfind('\'') - quote - 1);
  }
  std::ifstream archive(libtorch / "build-version");
  std::string version;
  return archive >> version ? std::optional(version) : std::nullopt;
}

}  // namespace

void load_libtorch() {
  const auto folder = libtorch_folder();
  if (!folder) return;
  const auto advice = fmt::format(
      "pip install 'torch=={}.*', or set MPBENCH_LIBTORCH to its folder", minor_version(built_for));
  const std::filesystem::path library = *folder / "lib" / "libtorch_cpu.so";
  if (!std::filesystem::exists(library)) {
    throw Error(fmt::format("mpbench {} needs torch {} and found none in {}: {}",
                            build_info::version(), minor_version(built_for), folder->string(),
                            advice));
  }
  const auto found = version_of(*folder);
  if (found && minor_version(*found) != minor_version(built_for)) {
    throw Error(fmt::format("mpbench {} was built for torch {} and found torch {} in {}: {}",
                            build_info::version(), minor_version(built_for), *found,
                            folder->string(), advice));
  }
  // Lazy, as libraries are at a program's start: its many symbols are bound as they are called.
  if (dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    throw Error(fmt::format("cannot load LibTorch: {}", dlerror()));
  }
}

}  // namespace mpbench::cli
