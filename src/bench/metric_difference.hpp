#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/metric_record.hpp"
#include "mpbench/stats/metric_comparison.hpp"
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

/// Whether a run was more than one for its speed alone.
bool is_validated(const RunRecord& run);

/// How the arm's models judge, against those that they are compared with.
struct AccuracyComparison {
  std::optional<ComparedMetric> metric;  ///< empty when the pairs share none
  std::optional<stats::Estimate> delta;  ///< of that metric
  /// The same in full, where there are predictions; empty otherwise.
  std::optional<stats::MetricDifference> difference;
  std::string lacking;  ///< why it carries no verdict (lacking_evidence()); empty where it can
  std::vector<MetricRecord> metrics;  ///< all that the predictions give
};

/// The difference of val_breast_auc; where no run has one of val_auc; where no run has one of
/// val_accuracy. Where some of the runs have a metric and others lack it there is no difference,
/// and a note. From the predictions by stats::compare_metric, a pair a seed; without them the t
/// interval over the repeats' recorded values. Pairs of runs that were for their speed alone are
/// left out.
AccuracyComparison compare_accuracy(const RunGroup& group, const GroupArm& arm,
                                    const std::vector<Pair>& pairs, PredictionStore& predictions,
                                    const ComparisonOptions& options, Notes& notes);

}  // namespace mpbench::bench
