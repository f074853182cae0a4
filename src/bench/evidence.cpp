#include "evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace mpbench::bench {
namespace {

constexpr std::size_t fewest_trainings = 3;
constexpr std::size_t fewest_patients = 10;

/// Trainings among the runs: of other seeds, and with other results. Runs that end with the same
/// losses and metrics to the last bit are one training that was repeated.
std::size_t distinct_trainings(std::span<const RunRecord* const> runs) {
  std::set<std::optional<std::uint64_t>> seeds;
  std::set<std::array<std::optional<double>, 4>> results;
  for (const RunRecord* run : runs) {
    seeds.insert(run->seed);
    results.insert({run->train_loss, run->val_loss, run->val_auc, run->val_accuracy});
  }
  return std::min(seeds.size(), results.size());
}

struct Patients {
  std::set<std::string> all;
  std::set<std::string> positive;  ///< with a sample of another class than 0
  std::set<std::string> negative;
  int classes = 0;
};

Patients patients_of(const stats::PairedPredictions& repeat) {
  Patients patients;
  for (std::size_t i = 0; i < repeat.group.size(); ++i) {
    patients.all.insert(repeat.group[i]);
    (repeat.label[i] == 0 ? patients.negative : patients.positive).insert(repeat.group[i]);
    patients.classes = std::max(patients.classes, repeat.label[i] + 1);
  }
  return patients;
}

std::string lacking_patients(std::span<const stats::PairedPredictions> repeats) {
  if (repeats.empty()) return "predictions are missing, so the number of patients is not known";
  const Patients patients = patients_of(repeats.front());
  for (const stats::PairedPredictions& repeat : repeats.subspan(1)) {
    if (patients_of(repeat).all != patients.all) {
      return "the runs were validated on different patients: give them one split";
    }
  }
  const auto too_few = [](std::size_t count, const char* what) {
    return fmt::format("{} {} in validation, and a verdict on accuracy needs {}", count, what,
                       fewest_patients);
  };
  if (patients.all.size() < fewest_patients) return too_few(patients.all.size(), "patients");
  if (patients.classes > 2) return "";
  if (patients.positive.size() < fewest_patients)
    return too_few(patients.positive.size(), "positive patients");
  if (patients.negative.size() < fewest_patients)
    return too_few(patients.negative.size(), "negative patients");
  return "";
}

}  // namespace

std::string lacking_evidence(const std::vector<Pair>& pairs,
                             std::span<const stats::PairedPredictions> repeats) {
  std::vector<const RunRecord*> baseline;
  std::vector<const RunRecord*> arm;
  for (const Pair& pair : pairs) {
    baseline.push_back(pair.baseline);
    arm.push_back(pair.arm);
  }
  const std::size_t trainings = std::min(distinct_trainings(baseline), distinct_trainings(arm));
  if (trainings < fewest_trainings) {
    return fmt::format(
        "{} distinct {}, and a verdict on accuracy needs {}: give --repeats {} or more", trainings,
        trainings == 1 ? "training" : "trainings", fewest_trainings, fewest_trainings);
  }
  return lacking_patients(repeats);
}

}  // namespace mpbench::bench
