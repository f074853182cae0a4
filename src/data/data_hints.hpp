#pragma once

#include <filesystem>
#include <optional>
#include <string>

/// What a path is that is no dataset, and what to do about it: one sentence each.
namespace mpbench::data {

/// Of a file that is not a cache: an archive, a table, a DICOM file, an image, one file of a
/// dataset. Nothing where it may be a cache.
std::optional<std::string> explain_file(const std::filesystem::path& file);

/// Where a dataset lies that begins one or two folders below this one, or in the folder around it:
/// told by train.csv with RSNA's columns, and by the names of idx and CIFAR files.
std::optional<std::string> dataset_elsewhere(const std::filesystem::path& folder);

/// Of a folder that is no dataset: empty, packed, mammograms without a table, images in no
/// class's folder, files of other formats. Empty where nothing can be said.
std::string explain_folder(const std::filesystem::path& folder);

/// The commonest files below a folder: "3 .tif files, as cat/0.tif (a TIFF image)"; empty where
/// there are none.
std::string other_files(const std::filesystem::path& folder);

}  // namespace mpbench::data
