#include "mpbench/data/dataset_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpbench/core/error.hpp"

namespace mpbench::data {

void require_dataset(const std::string& name) {
  const bool known = name == DatasetOptions::automatic ||
                     std::any_of(dataset_names.begin(), dataset_names.end(),
                                 [&](const auto& one) { return one.name == name; });
  if (known) return;
  std::string choices(DatasetOptions::automatic);
  for (std::size_t i = 0; i < dataset_names.size(); ++i) {
    choices +=
        fmt::format("{}{}", i + 1 < dataset_names.size() ? ", " : " or ", dataset_names[i].name);
  }
  throw UsageError(fmt::format("unknown dataset '{}': {}", name, choices));
}

bool DatasetOptions::needs_path() const {
  return !is_automatic() &&
         std::none_of(dataset_names.begin(), dataset_names.end(), [&](const DatasetName& one) {
           return one.name == dataset && one.can_be_made;
         });
}

int classes_of_dataset(std::string_view name) {
  for (const DatasetName& one : dataset_names) {
    if (one.name == name) return one.classes;
  }
  return 0;
}

}  // namespace mpbench::data
