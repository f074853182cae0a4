#pragma once

#include <cstdint>
#include <filesystem>

#include "mpbench/data/image_dataset.hpp"

/// The IDX format of MNIST and its kin (http://yann.lecun.com/exdb/mnist/): big-endian magic and
/// sizes, then bytes.
namespace mpbench::data {

struct IdxOptions {
  int height = 0;  ///< 0: the files' own
  int width = 0;
  std::int64_t limit = 0;  ///< of the training images, and a fifth as many of the others; 0: all
};

/// Whether a folder holds train-images-idx3-ubyte or its .gz; or train-images.idx3-ubyte, as some
/// archives have it.
bool is_idx_folder(const std::filesystem::path& folder);

/// Reads `train-*` and, where there are any, `t10k-*` images [N, 1, H, W] and labels; plain or
/// gzipped. Ids are "train-0", "t10k-0", ...; classes are named "0" to the highest label of the
/// files, whatever the limit leaves; given_split is train and t10k. A limit takes as many of each
/// class, as limit_classes does. Images of another size than asked for are resized with their
/// aspect kept and padded with 0 on both sides. Throws InputError for a wrong magic number, a
/// length that differs from the header's (nothing is allocated on the header's word alone), image
/// and label counts that differ, training images that are all of one class, and more than 10
/// million images.
ImageDataset read_idx(const std::filesystem::path& folder, const IdxOptions& options);

}  // namespace mpbench::data
