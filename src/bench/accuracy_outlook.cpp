#include "mpbench/bench/accuracy_outlook.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/stats/accuracy_power.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"

namespace mpbench::bench {

std::string accuracy_outlook(const ValidationPatients& patients, int trainings, double margin,
                             double confidence) {
  if (patients.classes != 2) return "";
  const std::string size = fmt::format(
      "accuracy: {} positive and {} negative patients in validation, {} trainings an arm",
      patients.positive, patients.negative, trainings);
  const stats::AccuracyPlan plan{
      .positives = patients.positive, .negatives = patients.negative, .seeds = trainings};
  std::string text = size;
  const double provable = stats::smallest_provable_margin(plan, confidence);
  if (trainings < stats::fewest_seeds || patients.positive < stats::fewest_patients ||
      patients.negative < stats::fewest_patients) {
    text += fmt::format(": too few for a verdict, which needs {} of each, and {} trainings",
                        stats::fewest_patients, stats::fewest_seeds);
  }
  if (std::isfinite(provable)) {
    text += fmt::format("; a loss of AUC below about {:.2g} cannot be excluded", provable);
  }
  if (margin <= 0 || provable <= margin) return text;
  const auto needed = stats::plan_for_margin(plan, margin, confidence);
  text += needed ? fmt::format("; margin {:g} needs about {} positives and {} trainings", margin,
                               needed->positives, needed->seeds)
                 : fmt::format("; margin {:g} is out of reach", margin);
  return text;
}

}  // namespace mpbench::bench
