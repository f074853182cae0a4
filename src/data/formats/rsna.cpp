#include "rsna.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "../subset.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/csv.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

/// An id becomes part of a path, so it must not lead out of the dataset's folder.
bool is_safe_id(const std::string& id) {
  constexpr std::size_t longest = 128;
  const auto is_safe = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !id.empty() && id.size() <= longest && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), is_safe);
}

std::string breast_of(const RsnaImage& image) {
  return fmt::format("{}_{}", image.patient_id, image.laterality);
}

enum class Side { train, test };

/// 0 or 1, also as "1.0" or "True": what table programs make of a column of whole numbers in which
/// a cell is missing, or of two values.
std::optional<int> parse_label(std::string_view cell) {
  auto word = ascii_lower(cell);
  std::replace(word.begin(), word.end(), ',', '.');  // beside semicolons
  if (word == "false") return 0;
  if (word == "true") return 1;
  double number = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool is_whole = error == std::errc() && end == word.data() + word.size();
  if (!is_whole || (number != 0 && number != 1)) return std::nullopt;
  return number == 1 ? 1 : 0;
}

std::optional<char> parse_laterality(std::string_view cell) {
  const auto word = ascii_lower(cell);
  if (word == "l" || word == "left") return 'L';
  if (word == "r" || word == "right") return 'R';
  return std::nullopt;
}

/// Digits that end in ".0", as a whole number that went through a column of floats.
bool is_float_id(std::string_view id) {
  const auto point = id.find('.');
  return point != std::string_view::npos && point > 0 && point + 1 < id.size() &&
         id.substr(0, point).find_first_not_of("0123456789") == std::string_view::npos &&
         id.substr(point + 1).find_first_not_of('0') == std::string_view::npos;
}

/// The columns of a table that are needed here.
class TableReader {
 public:
  TableReader(const fs::path& path, Side side)
      : csv_(csv::read(path)),
        patient_id_(csv_.column("patient_id")),
        image_id_(csv_.column("image_id")),
        laterality_(csv_.column("laterality")),
        view_(csv_.column("view")),
        site_(csv_.find_column("site_id")),
        machine_(csv_.find_column("machine_id")),
        density_(csv_.find_column("density")),
        age_(csv_.find_column("age")) {
    if (side == Side::train) cancer_ = csv_.column("cancer");
    if (side == Side::test) {
      cancer_ = csv_.find_column("cancer");
      prediction_id_ = csv_.find_column("prediction_id");
    }
    if (csv_.rows.empty()) throw InputError(path, "rows", "there are none below the header");
  }

  bool is_labelled() const { return cancer_.has_value(); }

  std::vector<RsnaImage> read() {
    trim_cells();
    shorten_ids(patient_id_, "patient_id");
    shorten_ids(image_id_, "image_id");
    std::vector<RsnaImage> images;
    for (row_ = 0; row_ < csv_.rows.size(); ++row_) images.push_back(read_row());
    if (other_labels_ > 0) {
      spdlog::info("{}: {} cells of column cancer, as '{}', are taken as whole numbers",
                   csv_.path.string(), other_labels_, printable_text(other_label_));
    }
    return images;
  }

 private:
  [[noreturn]] void fail(const char* column, const std::string& problem) const {
    throw InputError(csv_.path, fmt::format("row {}, column {}", csv_.numbers[row_], column),
                     problem);
  }

  void trim_cells() {
    std::size_t changed = 0;
    for (auto& row : csv_.rows) {
      for (auto& cell : row) {
        const auto kept = trimmed(cell);
        if (kept.size() == cell.size()) continue;
        cell = std::string(kept);
        ++changed;
      }
    }
    if (changed > 0) {
      spdlog::info("{}: spaces around {} cells are left out", csv_.path.string(), changed);
    }
  }

  void shorten_ids(std::size_t column, const char* name) {
    const bool all = std::all_of(csv_.rows.begin(), csv_.rows.end(),
                                 [&](const auto& row) { return is_float_id(row[column]); });
    if (!all) return;
    for (auto& row : csv_.rows) row[column].resize(row[column].find('.'));
    spdlog::info("{}: column {} has floats, as '{}.0': they are taken as whole numbers",
                 csv_.path.string(), name, csv_.rows.front()[column]);
  }

  std::string read_id(std::size_t column, const char* name) const {
    const auto& id = csv_.rows[row_][column];
    if (!is_safe_id(id)) {
      fail(
          name,
          fmt::format(
              "'{}' is not a valid id: letters, digits, '_', '-' and '.' inside, at most 128", id));
    }
    return id;
  }

  RsnaImage read_row() {
    const auto& cells = csv_.rows[row_];
    RsnaImage image;
    image.patient_id = read_id(patient_id_, "patient_id");
    image.image_id = read_id(image_id_, "image_id");
    image.attributes = {.site = attribute(site_),
                        .view = attribute(view_),
                        .machine = attribute(machine_),
                        .density = attribute(density_),
                        .age = attribute(age_)};
    if (!seen_.insert(image.image_id).second) {
      fail("image_id", fmt::format("'{}' comes twice", image.image_id));
    }
    const auto laterality = parse_laterality(cells[laterality_]);
    if (!laterality) {
      fail("laterality", fmt::format("'{}' is neither L nor R", cells[laterality_]));
    }
    image.laterality = *laterality;
    if (cancer_) image.cancer = read_label(cells[*cancer_]);
    if (prediction_id_) image.prediction_id = read_prediction_id(image);
    return image;
  }

  /// A cell that nothing depends on: printable, a whole number without its ".0" or ",0", and empty
  /// where it is too long to be one of those that are meant.
  std::string attribute(const std::optional<std::size_t>& column) const {
    constexpr std::size_t longest = 64;
    if (!column) return "";
    std::string text = printable_text(csv_.rows[row_][*column]);
    std::string number = text;
    std::replace(number.begin(), number.end(), ',', '.');  // beside semicolons
    if (is_float_id(number)) text.resize(number.find('.'));
    return text.size() <= longest ? text : "";
  }

  int read_label(const std::string& cell) {
    const auto label = parse_label(cell);
    if (!label) fail("cancer", fmt::format("'{}' is neither 0 nor 1", cell));
    if (cell.size() > 1 && other_labels_++ == 0) other_label_ = cell;
    return *label;
  }

  std::string read_prediction_id(const RsnaImage& image) {
    const auto& id = csv_.rows[row_][*prediction_id_];
    if (id.empty()) fail("prediction_id", "it is empty");
    const auto breast = breast_of(image);
    const auto [named, added] = breasts_.emplace(id, breast);
    if (named->second != breast) {
      fail("prediction_id",
           fmt::format("'{}' names the breasts {} and {}", id, named->second, breast));
    }
    return id;
  }

  csv::Table csv_;
  std::size_t patient_id_;
  std::size_t image_id_;
  std::size_t laterality_;
  std::size_t view_;
  std::optional<std::size_t> site_;
  std::optional<std::size_t> machine_;
  std::optional<std::size_t> density_;
  std::optional<std::size_t> age_;
  std::optional<std::size_t> cancer_;
  std::optional<std::size_t> prediction_id_;
  std::size_t row_ = 0;
  std::unordered_set<std::string> seen_;                  // image ids
  std::unordered_map<std::string, std::string> breasts_;  // by prediction_id
  std::size_t other_labels_ = 0;                          // as "1.0"
  std::string other_label_;
};

RsnaTable read_table(const fs::path& folder, Side side) {
  const std::string name = side == Side::train ? "train" : "test";
  const auto path = folder / (name + ".csv");
  if (!fs::is_regular_file(path)) {
    throw InputError(folder, name + ".csv",
                     fmt::format("there is no such file; an RSNA folder holds {0}.csv and "
                                 "{0}_images/<patient_id>/<image_id>.dcm",
                                 name));
  }
  TableReader reader(path, side);
  return {.folder = folder,
          .images = reader.read(),
          .images_folder = name + "_images",
          .labelled = reader.is_labelled()};
}

}  // namespace

fs::path RsnaTable::file(const RsnaImage& image) const {
  if (!image.path.empty()) return folder / image.path;
  return folder / images_folder / image.patient_id / (image.image_id + ".dcm");
}

bool is_rsna_folder(const fs::path& folder) { return fs::is_regular_file(folder / "train.csv"); }

bool has_rsna_table(const fs::path& folder) {
  const auto header = csv::read_header(folder / "train.csv");
  const auto has = [&](const char* name) {
    return std::find(header.begin(), header.end(), name) != header.end();
  };
  return has("patient_id") && has("image_id");
}

bool is_rsna_test_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "test.csv", error) &&
         fs::is_directory(folder / "test_images", error);
}

bool is_synthetic_folder(const fs::path& folder) {
  return fs::is_regular_file(folder / "synthetic.json");
}

RsnaTable read_rsna_table(const fs::path& folder) { return read_table(folder, Side::train); }

RsnaTable read_rsna_test_table(const fs::path& folder) { return read_table(folder, Side::test); }

RsnaTable limit_patients(const RsnaTable& table, std::int64_t limit) {
  std::vector<Sample> samples;
  for (const auto& image : table.images) {
    samples.push_back({.id = image.image_id, .group = image.patient_id, .label = image.cancer});
  }
  RsnaTable limited = table;
  limited.images.clear();
  for (const auto place : limit_patients(samples, limit)) {
    limited.images.push_back(table.images[static_cast<std::size_t>(place)]);
  }
  return limited;
}

ImageManifest to_manifest(const RsnaTable& table, const std::string& dataset) {
  ImageManifest images{.dataset = dataset,
                       .folder = table.folder,
                       .classes = {"negative", "cancer"},
                       .channels = 1,
                       .has_split = false,
                       .files = {}};
  images.files.reserve(table.images.size());
  for (const auto& image : table.images) {
    images.files.push_back(
        {.path = table.file(image).lexically_relative(table.folder),
         .sample = {.id = image.image_id,
                    .group = image.patient_id,
                    .case_id = image.prediction_id.empty() ? breast_of(image) : image.prediction_id,
                    .label = image.cancer,
                    .attributes = image.attributes},
         .validation = false});
  }
  return images;
}

}  // namespace mpbench::data
