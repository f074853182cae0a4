#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/data/image_manifest.hpp"
#include "mpbench/data/sample.hpp"

/// The folder of the RSNA Screening Mammography Breast Cancer Detection challenge, or one laid out
/// like it; with the challenge's DICOM files, or with the images that others have made of them.
namespace mpbench::data {

enum class RsnaFormat { dicom, image };

/// One row of train.csv or test.csv, as far as it is needed here.
struct RsnaImage {
  std::string patient_id;
  std::string image_id;
  char laterality = 'L';  ///< 'L' or 'R'
  int cancer = 0;         ///< 0 or 1; 0 where the table is not labelled
  /// The breast's name in test.csv; empty where there is none: then it is patient_laterality.
  std::string prediction_id{};
  SampleAttributes attributes{};
  /// Its file below the table's folder; empty: where the challenge has it.
  std::filesystem::path path{};
};

/// A dataset's folder and its table.
struct RsnaTable {
  std::filesystem::path folder;
  std::vector<RsnaImage> images;  ///< in the file's order
  std::string images_folder = "train_images";
  bool labelled = true;  ///< false: the file does not say who has cancer
  RsnaFormat format = RsnaFormat::dicom;

  /// `folder/images_folder/<patient_id>/<image_id>.dcm`, unless the image has a path of its own.
  std::filesystem::path file(const RsnaImage& image) const;
};

/// Whether a folder looks like one: it has a train.csv.
bool is_rsna_folder(const std::filesystem::path& folder);

/// Whether the folder's train.csv has the columns patient_id and image_id: other sets have a file
/// of that name too.
bool has_rsna_table(const std::filesystem::path& folder);

/// Whether it looks like one with images to predict on: test.csv and a folder test_images.
bool is_rsna_test_folder(const std::filesystem::path& folder);

/// Whether the folder's images were drawn by `mpbench synth`, which leaves a synthetic.json;
/// results on them must say so.
bool is_synthetic_folder(const std::filesystem::path& folder);

/// Reads `folder/train.csv`: needs the columns patient_id, image_id, laterality, view and cancer,
/// in any order. Ids may have letters, digits, '_', '-' and inner '.': they become file names. What
/// table programs make of the challenge's own cells is taken and said on the log: whole numbers as
/// "1.0", False and True, spaces around a cell, "Left" and "RIGHT". Throws InputError naming the
/// file, the column and the row. Whether the images are there is not looked at: that is
/// locate_images.
RsnaTable read_rsna_table(const std::filesystem::path& folder);

/// The same of `folder/test.csv` and test_images/. A column `prediction_id` names the breast; one
/// that has images of two breasts throws InputError. Without a column `cancer` the table is not
/// labelled.
RsnaTable read_rsna_test_table(const std::filesystem::path& folder);

/// Finds the images' files and sets `format` and each image's `path`. DICOM files are those of the
/// challenge, `images_folder/<patient_id>/<image_id>`, with .dcm or .dicom in any case or without
/// an extension. Where not one is there, images (.png, .jpg, .jpeg, .bmp) are: named <image_id>
/// in a folder <patient_id>, <patient_id>_<image_id>, <patient_id>@<image_id>,
/// <patient_id>-<image_id> or <image_id> alone; in `images_folder`, in the folder itself or in one
/// at most three levels below. What is not the challenge's own is said on the log.
///
/// An image without a file keeps the path that it should have. Throws InputError when no image has
/// one, which says what lies in the folder instead; and where two folders have them.
void locate_images(RsnaTable& table);

/// Whole patients, as limit_patients of subset.hpp chooses samples.
RsnaTable limit_patients(const RsnaTable& table, std::int64_t limit);

/// The table's rows as image files: group = patient, unit = prediction_id or else
/// "patient_laterality", label = cancer. `dataset` is the name that results will carry ("rsna",
/// "rsna-png", "synthetic").
ImageManifest to_manifest(const RsnaTable& table, const std::string& dataset);

}  // namespace mpbench::data
