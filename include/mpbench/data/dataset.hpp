#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/core/progress.hpp"
#include "mpbench/data/dataset_options.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/image_manifest.hpp"
#include "mpbench/data/preprocess.hpp"
#include "mpbench/image/prepared_image.hpp"
#include "mpbench/image/thumbnail.hpp"

namespace mpbench::data {

/// Opens a dataset, preprocessing it first where needed, and says on the log what it took it for:
/// a file is a cache; a folder with train.csv is rsna, or rsna-png where its images are images;
/// one with train-images-idx3-ubyte[.gz] is idx; one with data_batch_1.bin, or with
/// fine_label_names.txt and train.bin, or with the archive's sub-folder, is cifar10 or cifar100;
/// one with images in folders of their own is folder; "synthetic", or no path at all, makes a
/// synthetic RSNA set once and keeps it in the user's cache folder. `limit` takes whole patients
/// (rsna) or as many images of each class (of the training images where the data has a split of its
/// own, and a fifth as many for validation), always the same ones. Throws UsageError for an unknown
/// dataset and for a limit that leaves one class, InputError for a path that is no dataset, with
/// what it is instead, Interrupted.
ImageDataset open_dataset(const DatasetOptions& options, const ProgressFunction& progress);

/// Images for a network to judge.
struct PredictionData {
  ImageDataset set{};
  std::vector<Quarantined> left_out{};  ///< inputs that failed, as quarantine.csv has them
  std::filesystem::path quarantine{};   ///< that file; empty where nothing failed
  /// Units that no image is left of, in the dataset's order. Not known of a cache file, which does
  /// not keep the units of what failed.
  std::vector<std::string> lost_cases{};
};

/// As open_dataset, and takes images without labels too: "rsna-test", a folder with test.csv and
/// test_images/ (preferred where there is a train.csv as well, unless dataset is "rsna"); and
/// "pictures", a folder with pictures that are in no class's folder. open_dataset refuses their
/// caches.
PredictionData open_for_prediction(const DatasetOptions& options, const ProgressFunction& progress);

/// Whether the labels are known. Those of "rsna-test" and "pictures" are all 0 and mean nothing.
bool is_labelled(const ImageDataset& set);
/// Whether its units are breasts and its groups patients, as in RSNA's sets.
bool has_cases(const ImageDataset& set);
/// Whether its classes are numbers, of which the images may lack the largest.
bool has_numbered_classes(const ImageDataset& set);
/// Whether `mpbench synth` drew it: results on it must say so.
bool is_synthetic(const ImageDataset& set);

/// Files that are preprocessed one by one, and how.
struct ImageSource {
  ImageManifest table;
  int height = 0;  ///< what each becomes
  int width = 0;
  image::PrepareImage prepare;
  std::string preparation;              ///< PreprocessOptions::preparation
  image::MakeThumbnail make_thumbnail;  ///< for a contact sheet
};

/// What preprocess() takes, for a dataset of files: rsna, rsna-png, synthetic or folder. Throws as
/// open_dataset; UsageError for a dataset that is read as it is.
ImageSource open_source(const DatasetOptions& options);

/// `$XDG_CACHE_HOME/mpbench`, or `~/.cache/mpbench`. Throws Error when neither variable is set.
std::filesystem::path user_cache_folder();

}  // namespace mpbench::data
