#include "mpbench/data/rsna.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "mpbench/core/csv.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"

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

struct Patient {
  bool positive = false;
  std::vector<std::size_t> images;
};

/// Positive and negative patients in turn, each kind spread over the whole; two positive ones
/// first.
std::vector<const Patient*> mix_kinds(const std::vector<Patient>& patients) {
  struct Place {
    double position;
    const Patient* patient;
  };
  std::vector<Place> places;
  for (const bool positive : {true, false}) {
    std::vector<const Patient*> kind;
    for (const auto& patient : patients) {
      if (patient.positive == positive) kind.push_back(&patient);
    }
    SplitMix64 random(positive ? 1 : 2);
    shuffle(kind, random);
    for (std::size_t i = 0; i < kind.size(); ++i) {
      const double position = (static_cast<double>(i) + 0.5) / static_cast<double>(kind.size());
      // One for training, one for validation: a smoke run without either would measure nothing.
      places.push_back({positive && i < 2 ? -1.0 : position, kind[i]});
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.position < b.position; });
  std::vector<const Patient*> order;
  for (const auto& place : places) order.push_back(place.patient);
  return order;
}

enum class Side { train, test };

RsnaTable read_table(const fs::path& folder, Side side) {
  const std::string name = side == Side::train ? "train" : "test";
  if (!fs::is_regular_file(folder / (name + ".csv"))) {
    throw InputError(folder, name + ".csv",
                     fmt::format("there is no such file; an RSNA folder holds {0}.csv and "
                                 "{0}_images/<patient_id>/<image_id>.dcm",
                                 name));
  }
  const auto csv = csv::read(folder / (name + ".csv"));
  const auto patient_id = csv.column("patient_id");
  const auto image_id = csv.column("image_id");
  const auto laterality = csv.column("laterality");
  const auto view = csv.column("view");
  const bool labelled = side == Side::train || csv.find_column("cancer");
  const auto cancer = labelled ? csv.column("cancer") : 0;
  const auto prediction_id =
      side == Side::test ? csv.find_column("prediction_id") : std::optional<std::size_t>();
  if (csv.rows.empty()) throw InputError(csv.path, "rows", "there are none below the header");

  RsnaTable table{
      .folder = folder, .images = {}, .images_folder = name + "_images", .labelled = labelled};
  std::unordered_set<std::string> seen;
  std::unordered_map<std::string, std::string> breasts;  // by prediction_id
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    const auto& cells = csv.rows[i];
    const auto fail = [&](const char* column, const std::string& problem) {
      throw InputError(csv.path, fmt::format("row {}, column {}", i + 2, column), problem);
    };
    RsnaImage image;
    image.patient_id = cells[patient_id];
    image.image_id = cells[image_id];
    image.view = cells[view];
    const char* unsafe = "'{}' is no id: letters, digits, '_', '-' and '.' inside, at most 128";
    if (!is_safe_id(image.patient_id)) {
      fail("patient_id", fmt::format(fmt::runtime(unsafe), image.patient_id));
    }
    if (!is_safe_id(image.image_id)) {
      fail("image_id", fmt::format(fmt::runtime(unsafe), image.image_id));
    }
    if (!seen.insert(image.image_id).second) {
      fail("image_id", fmt::format("'{}' comes twice", image.image_id));
    }
    if (cells[laterality] != "L" && cells[laterality] != "R") {
      fail("laterality", fmt::format("'{}' is neither L nor R", cells[laterality]));
    }
    image.laterality = cells[laterality].front();
    if (labelled) {
      if (cells[cancer] != "0" && cells[cancer] != "1") {
        fail("cancer", fmt::format("'{}' is neither 0 nor 1", cells[cancer]));
      }
      image.cancer = cells[cancer] == "1" ? 1 : 0;
    }
    if (prediction_id) {
      image.prediction_id = cells[*prediction_id];
      if (image.prediction_id.empty()) fail("prediction_id", "it is empty");
      const auto breast = breast_of(image);
      const auto [named, added] = breasts.emplace(image.prediction_id, breast);
      if (named->second != breast) {
        fail("prediction_id", fmt::format("'{}' names the breasts {} and {}", image.prediction_id,
                                          named->second, breast));
      }
    }
    table.images.push_back(std::move(image));
  }
  return table;
}

}  // namespace

fs::path RsnaTable::file(const RsnaImage& image) const {
  return folder / images_folder / image.patient_id / (image.image_id + ".dcm");
}

bool is_rsna_folder(const fs::path& folder) { return fs::is_regular_file(folder / "train.csv"); }

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
  if (limit <= 0 || static_cast<std::size_t>(limit) >= table.images.size()) return table;
  std::map<std::string, Patient> by_id;
  for (std::size_t i = 0; i < table.images.size(); ++i) {
    auto& patient = by_id[table.images[i].patient_id];
    patient.positive = patient.positive || table.images[i].cancer == 1;
    patient.images.push_back(i);
  }
  std::vector<Patient> patients;
  for (auto& [id, patient] : by_id) patients.push_back(std::move(patient));

  std::vector<std::size_t> chosen;
  for (const Patient* patient : mix_kinds(patients)) {
    if (chosen.size() + patient->images.size() <= static_cast<std::size_t>(limit)) {
      chosen.insert(chosen.end(), patient->images.begin(), patient->images.end());
    }
  }
  if (chosen.empty()) {
    throw UsageError(fmt::format(
        "a limit of {} images is below what any patient has; patients are kept whole", limit));
  }
  std::sort(chosen.begin(), chosen.end());
  RsnaTable limited = table;
  limited.images.clear();
  for (const auto i : chosen) limited.images.push_back(table.images[i]);
  return limited;
}

ImageTable to_image_table(const RsnaTable& table, const std::string& dataset) {
  ImageTable images{.dataset = dataset,
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
                    .unit = image.prediction_id.empty() ? breast_of(image) : image.prediction_id,
                    .label = image.cancer},
         .validation = false});
  }
  return images;
}

}  // namespace mpbench::data
