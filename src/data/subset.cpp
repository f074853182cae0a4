#include "subset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <string_view>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"

namespace mpbench::data {
namespace {

/// FNV-1a, scrambled: ids differ in their last characters.
std::uint64_t hash(std::string_view id) {
  std::uint64_t state = 0xCBF29CE484222325U;
  for (const char c : id) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return mix_bits(state);
}

/// The first `count` places of every class in turn.
void take_in_turn(std::span<const Sample> samples, const std::vector<std::int64_t>& places,
                  std::size_t count, std::vector<std::int64_t>& chosen) {
  struct Ranked {
    std::uint64_t rank;
    std::int64_t place;
  };
  std::map<int, std::vector<Ranked>> classes;
  for (const auto place : places) {
    const auto& sample = samples[static_cast<std::size_t>(place)];
    classes[sample.label].push_back({hash(sample.id), place});
  }
  std::size_t longest = 0;
  for (auto& [label, members] : classes) {
    std::sort(members.begin(), members.end(), [](const Ranked& a, const Ranked& b) {
      return a.rank != b.rank ? a.rank < b.rank : a.place < b.place;
    });
    longest = std::max(longest, members.size());
  }
  std::size_t taken = 0;
  for (std::size_t round = 0; round < longest && taken < count; ++round) {
    for (const auto& [label, members] : classes) {
      if (round >= members.size() || taken == count) continue;
      chosen.push_back(members[round].place);
      ++taken;
    }
  }
}

struct Patient {
  bool positive = false;
  std::vector<std::int64_t> places;
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

std::vector<std::int64_t> all_places(std::size_t count) {
  std::vector<std::int64_t> places(count);
  std::iota(places.begin(), places.end(), 0);
  return places;
}

}  // namespace

std::vector<std::int64_t> limit_classes(std::span<const Sample> samples,
                                        const std::vector<bool>& validation, std::int64_t limit) {
  if (limit <= 0) return all_places(samples.size());
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> others;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const bool for_training = validation.empty() || !validation[i];
    (for_training ? training : others).push_back(static_cast<std::int64_t>(i));
  }
  const auto wanted = static_cast<std::size_t>(limit);
  std::vector<std::int64_t> chosen;
  take_in_turn(samples, training, wanted, chosen);
  take_in_turn(samples, others, std::max<std::size_t>(1, wanted / 5), chosen);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

ImageDataset limit_classes(const ImageDataset& set, std::int64_t limit) {
  if (limit <= 0) return set;
  std::vector<bool> validation;
  if (set.given_split) {
    validation.resize(set.samples.size(), false);
    for (const auto i : set.given_split->validation) validation[static_cast<std::size_t>(i)] = true;
  }
  const auto chosen = limit_classes(set.samples, validation, limit);
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

ImageManifest limit_classes(ImageManifest table, std::int64_t limit) {
  if (limit <= 0) return table;
  std::vector<Sample> samples;
  std::vector<bool> validation;
  for (const auto& file : table.files) {
    samples.push_back(file.sample);
    if (table.has_split) validation.push_back(file.validation);
  }
  std::vector<ImageFile> limited;
  for (const auto place : limit_classes(samples, validation, limit)) {
    limited.push_back(std::move(table.files[static_cast<std::size_t>(place)]));
  }
  table.files = std::move(limited);
  return table;
}

std::vector<std::int64_t> limit_patients(std::span<const Sample> samples, std::int64_t limit) {
  if (limit <= 0 || static_cast<std::size_t>(limit) >= samples.size()) {
    return all_places(samples.size());
  }
  std::map<std::string, Patient> by_id;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto& patient = by_id[samples[i].group];
    patient.positive = patient.positive || samples[i].label > 0;
    patient.places.push_back(static_cast<std::int64_t>(i));
  }
  std::vector<Patient> patients;
  for (auto& [id, patient] : by_id) patients.push_back(std::move(patient));

  std::vector<std::int64_t> chosen;
  for (const Patient* patient : mix_kinds(patients)) {
    if (chosen.size() + patient->places.size() <= static_cast<std::size_t>(limit)) {
      chosen.insert(chosen.end(), patient->places.begin(), patient->places.end());
    }
  }
  if (chosen.empty()) {
    throw UsageError(fmt::format(
        "a limit of {} images is below what any patient has; patients are kept whole", limit));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

ImageDataset limit_patients(const ImageDataset& set, std::int64_t limit) {
  if (limit <= 0 || limit >= set.size()) return set;
  return take(set, limit_patients(set.samples, limit));
}

void require_two_classes(const ImageDataset& set, std::int64_t limit) {
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
