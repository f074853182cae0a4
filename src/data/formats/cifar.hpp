#pragma once

#include <cstdint>
#include <filesystem>

#include "mpbench/data/image_dataset.hpp"

/// The binary versions of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html):
/// records of 1 label byte (CIFAR-100: coarse, then fine) and 3072 bytes, 32 x 32 of red, then of
/// green, then of blue, rows first.
namespace mpbench::data {

enum class Cifar { cifar10, cifar100 };

struct CifarOptions {
  int height = 0;  ///< 0: 32, the files' own
  int width = 0;
  std::int64_t limit = 0;  ///< of the training images, and a fifth as many of the others; 0: all
};

/// Whether a folder, or its sub-folder of the archive's name, holds data_batch_1.bin (CIFAR-10) or
/// fine_label_names.txt and train.bin (CIFAR-100).
bool is_cifar_folder(const std::filesystem::path& folder, Cifar which);

/// Reads the training files (data_batch_1.bin to data_batch_5.bin; train.bin) and test_batch.bin or
/// test.bin into images [N, 3, H, W]. `folder` may hold the files or the archive's sub-folder,
/// cifar-10-batches-bin or cifar-100-binary. Ids are "train-0", "test-0", ... in the files' order;
/// classes are named by batches.meta.txt or fine_label_names.txt (labels are the fine ones);
/// given_split is train and test. Images of another size than asked for are resized with their
/// aspect kept and padded with 0.
///
/// Throws InputError for a missing file, one that is not a number of whole records, a label out of
/// range and a wrong number of names; Interrupted. Says on the log when there are fewer records
/// than the published sets have.
ImageDataset read_cifar(const std::filesystem::path& folder, Cifar which,
                        const CifarOptions& options);

}  // namespace mpbench::data
