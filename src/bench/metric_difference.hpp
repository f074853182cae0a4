#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/stats/statistics.hpp"
#include "run_groups.hpp"

namespace mpbench::bench {

/// Predictions by run id, ordered by sample, each asked for once.
class PredictionStore {
 public:
  explicit PredictionStore(const PredictionLookup& lookup) : lookup_(lookup) {}
  const std::vector<PredictionRow>& get(const std::string& run_id);

 private:
  const PredictionLookup& lookup_;
  std::map<std::string, std::vector<PredictionRow>> rows_;
};

struct MetricDifference {
  std::optional<ComparedMetric> metric;  ///< empty when the pairs share none
  std::optional<stats::Estimate> delta;
  std::string lacking;  ///< why it carries no verdict (lacking_evidence()); empty where it can
};

/// The difference of val_breast_auc; where no run has one of val_auc; where no run has one of
/// val_accuracy. Where some of the runs have a metric and others lack it there is no difference,
/// and a note. Bootstrapped over the groups of the predictions, else the t interval over the
/// repeats' recorded values.
MetricDifference metric_difference(const std::vector<Pair>& pairs, PredictionStore& predictions,
                                   const ComparisonOptions& options, Notes& notes);

}  // namespace mpbench::bench
