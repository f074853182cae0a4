#include "dataset_kind.hpp"

#include <fmt/format.h>

#include "data_hints.hpp"
#include "formats/cifar.hpp"
#include "formats/idx.hpp"
#include "formats/image_folder.hpp"
#include "formats/rsna.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

/// Archives that are often unpacked in place of the binary version.
const char* python_version_hint(const fs::path& folder) {
  std::error_code ignored;
  const bool is_python =
      fs::exists(folder / "cifar-100-python", ignored) ||
      fs::exists(folder / "cifar-10-batches-py", ignored) ||
      fs::exists(folder / "batches.meta", ignored) ||
      (fs::exists(folder / "meta", ignored) && fs::exists(folder / "test", ignored));
  return is_python ? "; this looks like CIFAR's Python version, and the binary one is wanted" : "";
}

/// Neither RSNA, idx nor CIFAR; at most a folder of pictures.
DatasetKind recognise_pictures(const fs::path& path) {
  if (const auto hint = dataset_elsewhere(path)) {
    throw InputError(path, "data", "this folder is no dataset: " + *hint);
  }
  std::error_code ignored;
  if (fs::is_directory(path / "train_images", ignored)) {
    throw InputError(
        path, "data",
        fmt::format("this folder is no dataset: it holds train_images/, but no train.csv that says "
                    "whose images they are; where the folders in it are classes, use --data {}",
                    (path / "train_images").string()));
  }
  if (is_image_folder(path)) return DatasetKind::folder;
  const std::string python = python_version_hint(path);
  const auto hint = python.empty() ? explain_folder(path) : std::string();
  throw InputError(
      path, "data",
      fmt::format("this folder is no dataset: {}{}there is neither train.csv (RSNA, with "
                  "train_images/<patient_id>/<image_id>.dcm), nor train-images-idx3-ubyte[.gz] "
                  "(idx), nor data_batch_1.bin (CIFAR-10), nor train.bin and fine_label_names.txt "
                  "(CIFAR-100), nor a folder with .png, .jpg, .jpeg or .bmp files for each class{}",
                  hint, hint.empty() ? "" : "; ", python));
}

DatasetKind recognise_file(const fs::path& path) {
  if (const auto hint = explain_file(path)) throw InputError(path, "data", *hint);
  return DatasetKind::cache;
}

DatasetKind recognise(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError(path, "data", "there is no such file or folder");
  }
  if (status.type() == fs::file_type::regular) return recognise_file(path);
  if (status.type() != fs::file_type::directory) {
    throw InputError(path, "data", error ? error.message() : "it is neither a file nor a folder");
  }
  const bool has_images_folder = fs::is_directory(path / "train_images", error);
  // Some image folders come with a train.csv too.
  if (is_rsna_folder(path) &&
      (has_images_folder || has_rsna_table(path) || !is_image_folder(path))) {
    return is_synthetic_folder(path) ? DatasetKind::synthetic : DatasetKind::rsna;
  }
  if (is_idx_folder(path)) return DatasetKind::idx;
  const bool is_cifar10 = is_cifar_folder(path, Cifar::cifar10);
  const bool is_cifar100 = is_cifar_folder(path, Cifar::cifar100);
  if (is_cifar10 && is_cifar100) {
    throw InputError(path, "data", "it holds both CIFAR-10 and CIFAR-100: name one with --dataset");
  }
  if (is_cifar10) return DatasetKind::cifar10;
  if (is_cifar100) return DatasetKind::cifar100;
  return recognise_pictures(path);
}

/// Whether the files that tell a kind are in a folder.
bool has_files_of(const fs::path& folder, DatasetKind kind) {
  switch (kind) {
    case DatasetKind::rsna:
    case DatasetKind::rsna_png:
    case DatasetKind::synthetic:
      return is_rsna_folder(folder);
    case DatasetKind::idx:
      return is_idx_folder(folder);
    case DatasetKind::cifar10:
      return is_cifar_folder(folder, Cifar::cifar10);
    case DatasetKind::cifar100:
      return is_cifar_folder(folder, Cifar::cifar100);
    case DatasetKind::folder:
    case DatasetKind::cache:
      return true;
  }
  return true;
}

}  // namespace

const char* describe(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::cache:
      return "cache";
    case DatasetKind::rsna:
      return "RSNA folder";
    case DatasetKind::rsna_png:
      return "RSNA folder of pictures";
    case DatasetKind::synthetic:
      return "synthetic set";
    case DatasetKind::idx:
      return "idx folder";
    case DatasetKind::cifar10:
      return "CIFAR-10 binary folder";
    case DatasetKind::cifar100:
      return "CIFAR-100 binary folder";
    case DatasetKind::folder:
      return "image folder";
  }
  return "";
}

DatasetKind choose_kind(const DatasetOptions& options) {
  const auto& name = options.dataset;
  const auto kind = parse_kind(name);
  if (options.path.empty()) {
    if (name == "auto" || name == "synthetic") return DatasetKind::synthetic;
    throw UsageError(fmt::format("dataset '{}' needs a path to its data", name));
  }
  std::error_code ignored;
  if (!kind || !fs::is_directory(options.path, ignored)) return recognise(options.path);
  if (!has_files_of(options.path, *kind)) {
    if (const auto hint = dataset_elsewhere(options.path)) {
      throw InputError(options.path, "data", "this folder is no dataset: " + *hint);
    }
  }
  return *kind;  // its reader says what is missing
}

}  // namespace mpbench::data
