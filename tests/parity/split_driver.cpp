// Splits and folds of given patients: one JSON object on stdin, one on stdout. split_parity_test.py
// compares their balance with scikit-learn's.
#include "driver.hpp"
#include "mpbench/data/split.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::split_driver {
namespace {

/// `groups` and `labels` of the images -> [fold: its images for validation].
json fold(const json& script) {
  std::vector<data::Sample> samples;
  for (std::size_t i = 0; i < script.at("groups").size(); ++i) {
    const auto id = std::to_string(i);
    samples.push_back({id, std::to_string(script.at("groups").at(i).get<int>()), id,
                       script.at("labels").at(i).get<int>()});
  }
  json validation = json::array();
  for (const auto& split :
       data::grouped_stratified_folds(samples, script.at("folds"), script.at("seed"))) {
    validation.push_back(split.validation);
  }
  return validation;
}

}  // namespace

const Driver driver("split", fold);

}  // namespace mpbench::parity::split_driver
