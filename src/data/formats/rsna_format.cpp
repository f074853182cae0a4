#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "dataset_format.hpp"
#include "image_folder.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/mammo/mammogram.hpp"
#include "mpbench/synth/synthetic_set.hpp"
#include "rsna.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int default_size = 124;

/// `dataset` is the name where it is not the format's.
ImageSource rsna_source(const DatasetOptions& options, RsnaTable all,
                        std::optional<std::string> dataset = {}) {
  locate_images(all);
  const bool are_images = all.format == RsnaFormat::image;
  if (options.dataset == rsna_png_format.name && !are_images) {
    throw InputError(all.folder, "images",
                     "these are DICOM files: --dataset rsna takes them, rsna-png takes images");
  }
  const auto table = data::limit_patients(all, options.limit);
  const int height = options.height > 0 ? options.height : default_size;
  const int width = options.width > 0 ? options.width : default_size;
  ImageSource source{
      .table = to_manifest(table,
                           dataset.value_or(are_images ? rsna_png_format.name : rsna_format.name)),
      .height = height,
      .width = width,
      .prepare = {},
      .preparation = mammo::mammogram_preparation(options.exact),
      .make_thumbnail = are_images ? mammo::mammogram_image_thumbnail : mammo::mammogram_thumbnail};
  if (are_images) {
    source.prepare = [height, width](const fs::path& path) {
      return mammo::prepare_mammogram_image(path, height, width);
    };
  } else {
    source.prepare = [height, width, exact = options.exact](const fs::path& path) {
      return mammo::prepare_mammogram(path, height, width, exact);
    };
  }
  return source;
}

/// Makes the synthetic set once, and beside its place first, so that a killed run leaves no half
/// set.
fs::path make_synthetic(const DatasetOptions& options, const ProgressFunction& progress) {
  synth::SyntheticSetOptions synthetic;
  synthetic.patients = options.synthetic_patients;
  synthetic.seed = options.synthetic_seed;
  // The version, because another one may draw other images.
  const auto name =
      fmt::format("synthetic-{}-{}-{}x{}-{}-{}-{}", build_info::version(), synthetic.patients,
                  synthetic.height, synthetic.width, synthetic.seed,
                  synth::to_string(synthetic.syntax), synthetic.positive_fraction);
  const fs::path folder = user_cache_folder() / "datasets" / name;
  if (is_rsna_folder(folder)) return folder;
  spdlog::info("making a synthetic set of {} patients in {}", synthetic.patients, folder.string());
  fs::create_directories(folder.parent_path());
  synthetic.out = folder.string() + fmt::format(".{}.part", ::getpid());
  try {
    synth::write_synthetic_set(synthetic, progress);
    std::error_code error;
    fs::rename(synthetic.out, folder, error);
    // Another process may have made the same one meanwhile; the same options give the same bytes.
    if (error && !is_rsna_folder(folder)) {
      throw Error(fmt::format("{}: {}", folder.string(), error.message()));
    }
    fs::remove_all(synthetic.out);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(synthetic.out, ignored);
    throw;
  }
  return folder;
}

ImageSource rsna_test_source(const DatasetOptions& options) {
  const auto table = read_rsna_test_table(options.path);
  if (options.is_automatic() && is_rsna_folder(options.path)) {
    spdlog::info("{}: test.csv is read; --dataset rsna takes train.csv", options.path.string());
  }
  return rsna_source(
      options, table,
      table.labelled ? std::nullopt : std::optional<std::string>(rsna_test_format.name));
}

/// Some image folders come with a train.csv too.
bool is_rsna(const fs::path& folder) {
  std::error_code ignored;
  return is_rsna_folder(folder) && (fs::is_directory(folder / "train_images", ignored) ||
                                    has_rsna_table(folder) || !is_image_folder(folder));
}

ImageSource labelled_source(const DatasetOptions& options) {
  return rsna_source(options, read_rsna_table(options.path));
}

}  // namespace

const DatasetFormat rsna_format{
    .name = "rsna",
    .description = "RSNA folder",
    .expected = "train.csv (RSNA, with train_images/<patient_id>/<image_id>.dcm)",
    .has_cases = true,
    .recognizes = is_rsna,
    .has_files = is_rsna_folder,
    .source = labelled_source};

/// Asked for by name, or found out when rsna's images are looked for.
const DatasetFormat rsna_png_format{.name = "rsna-png",
                                    .description = "RSNA folder of images",
                                    .has_cases = true,
                                    .laid_out_as = "rsna",
                                    .has_files = is_rsna_folder,
                                    .source = labelled_source};

const DatasetFormat synthetic_format{
    .name = "synthetic",
    .description = "synthetic set",
    .has_cases = true,
    .is_synthetic = true,
    .laid_out_as = "rsna",
    .recognizes =
        [](const fs::path& folder) { return is_synthetic_folder(folder) && is_rsna(folder); },
    .has_files = is_rsna_folder,
    .make = make_synthetic,
    .source =
        [](const DatasetOptions& options) {
          return rsna_source(options, read_rsna_table(options.path), "synthetic");
        }};

const DatasetFormat rsna_test_format{.name = "rsna-test",
                                     .description = "RSNA test folder",
                                     .is_labelled = false,
                                     .has_cases = true,
                                     .recognizes = is_rsna_test_folder,
                                     .source = rsna_test_source};

}  // namespace mpbench::data
