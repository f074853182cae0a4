#include "dataset_format.hpp"
#include "idx.hpp"

namespace mpbench::data {

const DatasetFormat idx_format{
    .name = "idx",
    .description = "idx folder",
    .expected = "train-images-idx3-ubyte[.gz] (idx)",
    .has_numbered_classes = true,
    .recognizes = is_idx_folder,
    .has_files = is_idx_folder,
    .read = [](const DatasetOptions& options) {
      return read_idx(options.path, {options.height, options.width, options.limit});
    }};

}  // namespace mpbench::data
