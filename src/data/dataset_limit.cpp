#include "dataset_limit.hpp"

#include <fmt/format.h>

#include <set>

#include "class_limit.hpp"
#include "formats/rsna.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {

ImageSet limit_patients(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0 || limit >= set.size()) return set;
  RsnaTable table;
  for (const auto& sample : set.samples) {
    table.images.push_back({.patient_id = sample.group,
                            .image_id = sample.id,
                            .laterality = 'L',
                            .view = "",
                            .cancer = sample.label > 0 ? 1 : 0});
  }
  const auto limited = data::limit_patients(table, limit);
  std::vector<std::int64_t> indices;
  std::size_t at = 0;
  for (const auto& image : limited.images) {  // both are in the set's order
    while (set.samples[at].id != image.image_id) ++at;
    indices.push_back(static_cast<std::int64_t>(at++));
  }
  return take(set, indices);
}

ImageSet limit_classes(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0) return set;
  std::vector<bool> validation;
  if (set.given_split) {
    validation.resize(set.samples.size(), false);
    for (const auto i : set.given_split->validation) validation[static_cast<std::size_t>(i)] = true;
  }
  const auto chosen = data::limit_classes(set.samples, validation, limit);
  auto limited = take(set, chosen);
  if (set.given_split) {
    limited.given_split.emplace();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const bool validates = validation[static_cast<std::size_t>(chosen[i])];
      (validates ? limited.given_split->validation : limited.given_split->train)
          .push_back(static_cast<std::int64_t>(i));
    }
  }
  return limited;
}

ImageTable limit_classes(ImageTable table, std::int64_t limit) {
  if (limit <= 0) return table;
  std::vector<Sample> samples;
  std::vector<bool> validation;
  for (const auto& file : table.files) {
    samples.push_back(file.sample);
    if (table.has_split) validation.push_back(file.validation);
  }
  std::vector<ImageFile> limited;
  for (const auto place : data::limit_classes(samples, validation, limit)) {
    limited.push_back(std::move(table.files[static_cast<std::size_t>(place)]));
  }
  table.files = std::move(limited);
  return table;
}

void require_two_classes(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0 || set.classes.size() < 2) return;
  std::set<int> labels;
  if (set.given_split) {
    for (const auto i : set.given_split->train) {
      labels.insert(set.samples[static_cast<std::size_t>(i)].label);
    }
  } else {
    for (const auto& sample : set.samples) labels.insert(sample.label);
  }
  if (labels.size() != 1) return;
  throw UsageError(fmt::format(
      "--limit {} leaves images of class '{}' alone: with one class there is nothing to learn",
      limit, set.classes[static_cast<std::size_t>(*labels.begin())]));
}

}  // namespace mpbench::data
