#include "cifar.hpp"
#include "dataset_format.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

template <Cifar which>
bool is_folder_of(const fs::path& folder) {
  return is_cifar_folder(folder, which);
}

template <Cifar which>
ImageDataset read(const DatasetOptions& options) {
  return read_cifar(options.path, which, {options.height, options.width, options.limit});
}

bool recognizes_cifar10(const fs::path& folder) {
  const bool is_cifar10 = is_cifar_folder(folder, Cifar::cifar10);
  if (is_cifar10 && is_cifar_folder(folder, Cifar::cifar100)) {
    throw InputError(folder, "data",
                     "it holds both CIFAR-10 and CIFAR-100: name one with --dataset");
  }
  return is_cifar10;
}

}  // namespace

const DatasetFormat cifar10_format{.name = "cifar10",
                                   .description = "CIFAR-10 binary folder",
                                   .expected = "data_batch_1.bin (CIFAR-10)",
                                   .recognizes = recognizes_cifar10,
                                   .has_files = is_folder_of<Cifar::cifar10>,
                                   .read = read<Cifar::cifar10>};

const DatasetFormat cifar100_format{.name = "cifar100",
                                    .description = "CIFAR-100 binary folder",
                                    .expected = "train.bin and fine_label_names.txt (CIFAR-100)",
                                    .recognizes = is_folder_of<Cifar::cifar100>,
                                    .has_files = is_folder_of<Cifar::cifar100>,
                                    .read = read<Cifar::cifar100>};

}  // namespace mpbench::data
