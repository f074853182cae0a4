#include <fmt/format.h>

#include "../data_hints.hpp"
#include "../subset.hpp"
#include "cifar.hpp"
#include "dataset_format.hpp"
#include "idx.hpp"
#include "image_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/image_file.hpp"
#include "rsna.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

int size_or(int asked, int otherwise) { return asked > 0 ? asked : otherwise; }

ImageSource image_source(const DatasetOptions& options, ImageManifest table) {
  // Of all images, also with a limit: a smoke run's are as those of the real one.
  const auto common = common_format(table, options.height == 0 || options.width == 0);
  table.channels = size_or(options.channels, common.channels);
  const int height = size_or(options.height, common.height);
  const int width = size_or(options.width, common.width);
  return {.table = limit_classes(std::move(table), options.limit),
          .height = height,
          .width = width,
          .prepare =
              [height, width, channels = table.channels](const fs::path& path) {
                return image::prepare_image(path, height, width, channels);
              },
          // Images depend on neither of them, but the keys of existing caches have both.
          .preparation = fmt::format(R"({{"exact":{},"least_oversampling":2}})", options.exact),
          .make_thumbnail = image::image_thumbnail};
}

bool recognizes_image_folder(const fs::path& folder) {
  if (const auto hint = dataset_elsewhere(folder)) {
    throw InputError(folder, "data", "this folder is not a dataset: " + *hint);
  }
  std::error_code ignored;
  if (fs::is_directory(folder / "train_images", ignored)) {
    throw InputError(
        folder, "data",
        fmt::format(
            "this folder is not a dataset: it holds train_images/, but no train.csv that says "
            "whose images they are; where the folders in it are classes, use --data {}",
            (folder / "train_images").string()));
  }
  return is_image_folder(folder);
}

/// Images that are in no class's folder, where nothing else says what the folder is.
bool recognizes_unlabelled_images(const fs::path& folder) {
  return holds_images(folder) && !is_image_folder(folder) && !is_rsna_folder(folder) &&
         !is_idx_folder(folder) && !is_cifar_folder(folder, Cifar::cifar10) &&
         !is_cifar_folder(folder, Cifar::cifar100);
}

}  // namespace

const DatasetFormat image_folder_format{
    .name = "folder",
    .description = "image folder",
    .expected = "a folder with .png, .jpg, .jpeg or .bmp files for each class",
    .recognizes = recognizes_image_folder,
    .source = [](const DatasetOptions& options) {
      return image_source(options, read_image_folder(options.path));
    }};

const DatasetFormat unlabelled_images_format{.name = "pictures",
                                             .description = "folder of images",
                                             .is_labelled = false,
                                             .recognizes = recognizes_unlabelled_images,
                                             .source = [](const DatasetOptions& options) {
                                               return image_source(
                                                   options, read_unlabelled_images(options.path));
                                             }};

}  // namespace mpbench::data
