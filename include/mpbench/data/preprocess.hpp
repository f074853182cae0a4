#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/image_manifest.hpp"
#include "mpbench/image/prepared_image.hpp"

namespace mpbench::data {

struct PreprocessOptions {
  int height = 124;  ///< 124 x 124 is the size of the first mixed-precision experiment on RSNA
  int width = 124;
  PixelType pixel_type = PixelType::u8;
  /// What an image depends on beside its file and this, as a JSON object: part of the key.
  std::string preparation = "{}";
  int workers = 0;               ///< threads, each with one image in memory; 0: one a core
  bool wait_for_writer = false;  ///< when another process writes this cache: wait, not fail
};

/// An input that was left out, and why.
struct Quarantined {
  std::filesystem::path path;
  std::string field;
  std::string problem;
};

struct PreprocessSummary {
  std::int64_t images = 0;               ///< in the cache
  std::int64_t resumed = 0;              ///< of these, done by an earlier, interrupted run
  bool up_to_date = false;               ///< the cache was there already; nothing was done
  std::vector<Quarantined> quarantined;  ///< as in quarantine.csv
  double seconds = 0;
  /// Images decoded at 1/1, 1/2, 1/4, ... of rows and columns.
  std::vector<std::int64_t> by_reduction;
  std::int64_t whole_frames = 0;  ///< images that are not cropped
};

/// Identifies what preprocess would make: format version, options, the table's rows and the sizes
/// of their files.
std::string preprocess_key(const ImageManifest& table, const PreprocessOptions& options);

/// Makes an image of every file of the table and stores them in one cache file. The cache's bytes
/// do not depend on the number of workers, nor on how often the work was interrupted and taken up
/// again; memory is bounded by the workers, not by the files.
///
/// Inputs that fail are left out and named in `quarantine.csv` beside the cache
/// (`path,field,problem`). Throws Error when all failed, when another process is writing the same
/// cache, or when the disk is full; Interrupted on Ctrl-C. Then what is done stays in `CACHE.part`
/// and `CACHE.part.journal`, an earlier cache stays as it was, and the next call goes on from
/// there.
PreprocessSummary preprocess(const ImageManifest& table, const std::filesystem::path& cache,
                             const PreprocessOptions& options, const image::PrepareImage& prepare,
                             const ProgressFunction& progress);

}  // namespace mpbench::data
