#pragma once

#include <optional>

namespace mpbench::stats {

/// The size of a comparison of AUC before it is made, and what is assumed of its models. The
/// defaults are assumptions; seed_sd above all has to be measured.
struct AccuracyPlan {
  int positives = 0;  ///< patients in validation
  int negatives = 0;
  int seeds = 0;
  double assumed_auc = 0.85;
  double seed_sd = 0.005;           ///< of one arm's AUC over seeds, on the same patients
  double score_correlation = 0.95;  ///< of the arms' scores of one patient
  double shared = 0.3;  ///< share of what is an arm's own in a score that all its seeds have
  double seed_correlation = 0;  ///< of the arms' AUCs over seeds
};

/// The smallest margin at which two arms that are alike are found non-inferior with probability
/// `power`, by compare_metric() and an interval of this confidence:
///
///     m = [t(1 - (1 - confidence)/2, df) + t(power, df)] SE
///     SE^2 = 2 seed_sd^2 (1 - seed_correlation) / n
///            + 2 SE_AUC^2 (1 - score_correlation) [shared + (1 - shared) / n]
///
/// with SE_AUC by Hanley and McNeil (Radiology 143, 1982), one image or breast a patient, and df as
/// in metric_comparison.hpp. Infinite with fewer than two seeds, positives or negatives. Throws
/// UsageError for an AUC, a correlation, a share, a confidence or a power that is not between 0 and
/// 1, and for a negative deviation.
double smallest_provable_margin(const AccuracyPlan& plan, double confidence = 0.95,
                                double power = 0.8);

/// The smallest true loss at which the arm is found inferior by this margin, with probability
/// `power`: the margin + smallest_provable_margin(). With a margin of 0 the smallest loss that is
/// told apart from none.
double excluded_loss(const AccuracyPlan& plan, double margin = 0, double confidence = 0.95,
                     double power = 0.8);

/// How many positive patients make this margin provable with the plan's seeds and its share of
/// positives; its own number of positives only says that share. At least as many as a verdict needs
/// (accuracy_verdict.hpp). Nothing where no number does: too few seeds. Throws UsageError for a
/// margin that is not above 0, and as smallest_provable_margin().
std::optional<int> positives_needed(const AccuracyPlan& plan, double margin,
                                    double confidence = 0.95, double power = 0.8);

/// The plan that makes the margin provable with the fewest positives times seeds, out of its own
/// number of seeds and those of 3, 5, 10, 20, 50 and 100 that are larger. Nothing where none of
/// them does.
std::optional<AccuracyPlan> plan_for_margin(const AccuracyPlan& plan, double margin,
                                            double confidence = 0.95, double power = 0.8);

}  // namespace mpbench::stats
