#pragma once

/// A two-class network's output is a logit, the log-odds ln(p / (1 - p)) of the positive class. The
/// probability rounds to 1 for a logit above 37 (above 17 in float32), and then no longer tells two
/// images apart: what ranks images ranks them by logits.
namespace mpbench::stats {

/// ln of the probability 1 / (1 + exp(-logit)), finite for every finite logit. ln(1 - p) is
/// log_sigmoid(-logit).
double log_sigmoid(double logit);

/// ln(p / (1 - p)); -inf for 0 and below, inf for 1 and above, NaN for NaN.
double log_odds(double probability);

}  // namespace mpbench::stats
