#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "../data_hints.hpp"
#include "dataset_format.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

/// In the order in which they are recognized.
constexpr std::array formats{&rsna_test_format,   &unlabelled_images_format,  //
                             &synthetic_format,   &rsna_format,
                             &rsna_png_format,    &idx_format,
                             &cifar10_format,     &cifar100_format,
                             &image_folder_format};

/// Archives that are often unpacked in place of the binary version.
const char* python_version_hint(const fs::path& folder) {
  std::error_code ignored;
  const bool is_python =
      fs::exists(folder / "cifar-100-python", ignored) ||
      fs::exists(folder / "cifar-10-batches-py", ignored) ||
      fs::exists(folder / "batches.meta", ignored) ||
      (fs::exists(folder / "meta", ignored) && fs::exists(folder / "test", ignored));
  return is_python ? "; this looks like CIFAR's Python version, and the binary version is expected"
                   : "";
}

/// "neither A, nor B, nor C", of what the formats expect.
std::string expectations() {
  std::string text;
  for (const DatasetFormat* format : formats) {
    if (*format->expected == '\0') continue;
    text += fmt::format("{}{}", text.empty() ? "neither " : ", nor ", format->expected);
  }
  return text;
}

[[noreturn]] void refuse_folder(const fs::path& path) {
  const std::string python = python_version_hint(path);
  const auto hint = python.empty() ? explain_folder(path) : std::string();
  throw InputError(path, "data",
                   fmt::format("this folder is not a dataset: {}{}there is {}{}", hint,
                               hint.empty() ? "" : "; ", expectations(), python));
}

const DatasetFormat& recognize(const fs::path& path, bool unlabelled) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError(path, "data", "there is no such file or folder");
  }
  if (status.type() == fs::file_type::regular) {
    if (const auto hint = explain_file(path)) throw InputError(path, "data", *hint);
    return cache_format;
  }
  if (status.type() != fs::file_type::directory) {
    throw InputError(path, "data", error ? error.message() : "it is neither a file nor a folder");
  }
  for (const DatasetFormat* format : formats) {
    if ((format->is_labelled || unlabelled) && format->recognizes(path)) return *format;
  }
  refuse_folder(path);
}

}  // namespace

std::span<const DatasetFormat* const> all_formats() { return formats; }

const DatasetFormat* find_format(std::string_view name) {
  const auto found = std::find_if(formats.begin(), formats.end(),
                                  [&](const DatasetFormat* one) { return one->name == name; });
  return found == formats.end() ? nullptr : *found;
}

const DatasetFormat& choose_format(const DatasetOptions& options, bool unlabelled) {
  const std::string& name = options.dataset;
  const bool automatic = options.is_automatic();
  const DatasetFormat* format = find_format(name);
  if (format == nullptr || (!format->is_labelled && !unlabelled)) {
    require_dataset(name);
    format = nullptr;
  }
  if (options.path.empty()) {
    if (automatic) return synthetic_format;
    if (format->make != nullptr) return *format;
    throw UsageError(fmt::format("dataset '{}' needs a path to its data", name));
  }
  std::error_code ignored;
  if (automatic || !fs::is_directory(options.path, ignored)) {
    return recognize(options.path, unlabelled);
  }
  if (format->has_files != nullptr && !format->has_files(options.path)) {
    if (const auto hint = dataset_elsewhere(options.path)) {
      throw InputError(options.path, "data", "this folder is not a dataset: " + *hint);
    }
  }
  return *format;  // its reader says what is missing
}

}  // namespace mpbench::data
