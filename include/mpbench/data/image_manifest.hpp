#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/data/sample.hpp"

namespace mpbench::data {

/// One image file of a dataset.
struct ImageFile {
  std::filesystem::path path;  ///< relative to the table's folder
  Sample sample;
  bool validation = false;  ///< where the table has a split of its own
};

/// The image files of a dataset's folder, of whatever kind, and what each is labelled.
struct ImageManifest {
  std::string dataset;  ///< "rsna", "synthetic" or "folder"
  std::filesystem::path folder;
  std::vector<std::string> classes;
  int channels = 1;
  bool has_split = false;        ///< the files say which are for validation
  std::vector<ImageFile> files;  ///< in the order the cache will have

  std::filesystem::path file(std::size_t index) const { return folder / files[index].path; }
};

}  // namespace mpbench::data
