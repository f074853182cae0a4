#pragma once

#include <optional>
#include <span>
#include <vector>

/// Statistics of speed over sessions. In a session fresh processes of the baseline B, of a second
/// copy of it B' (the null arm) and of the arms train in turns, in rounds; docs/method.md describes
/// it. Of round r and session j, with l the logarithm of a process's time a step,
///
///     contrast of the arm a   c_jr = (l_B + l_B') / 2 - l_a    above 0: the arm is faster
///     contrast of the null    n_jr = l_B - l_B'
///
/// and a session's value is the Hodges-Lehmann estimate of its rounds' contrasts. A session is one
/// observation, however many rounds it has, as a process has an offset of its own that more rounds
/// do not average out. Values, means and bounds are natural logarithms of ratios of times; a level
/// is the probability of a false alarm, two-sided. No function returns NaN; each throws Error for a
/// value that is not finite, and UsageError for a level or a power that is not between 0 and 1.
namespace mpbench::stats {

/// The median of all (x_i + x_j) / 2 with i <= j (Hodges and Lehmann 1963): 95 % as efficient as
/// the mean for normal values, and bounded with up to 29 % of them anywhere. Throws Error for no
/// values.
double hodges_lehmann(std::span<const double> values);

/// The level of each of `looks` tests, after equally many sessions each, with which one or more of
/// them is wrong with probability `alpha` (Pocock 1977): 0.0221 for three looks at 0.05. By the
/// recursive integration of Armitage, McPherson and Rowe (1969). Throws UsageError unless `looks`
/// is 1 to 10.
double pocock_level(double alpha, int looks);

/// The mean over sessions with Student's t interval, sessions - 1 degrees of freedom.
struct SessionInterval {
  double mean = 0;
  double sd = 0;  ///< standard deviation of the session values (n - 1)
  int sessions = 0;
  double level = 0;    ///< of the test; the interval's confidence is 1 - level
  double low = 0;      ///< mean - t(1 - level / 2) sd / sqrt(sessions)
  double high = 0;     ///< likewise above
  double p_value = 0;  ///< two-sided, of the hypothesis that the true mean is 0
};

/// Empty with fewer than two sessions. When all values are the same the interval is that value, and
/// its p-value is 1 where the value is 0 and 0 elsewhere.
std::optional<SessionInterval> session_interval(std::span<const double> sessions, double level);

/// The interval that `sessions` sessions in all would give if their mean and standard deviation
/// stayed what they are. Throws Error for fewer than two.
SessionInterval interval_after(const SessionInterval& now, int sessions);

/// The smallest speed-up that this many sessions find with probability `power`, as a share (0.02 is
/// 2 %): exp((t(1 - level / 2) + t(power)) sd / sqrt(sessions)) - 1 with sessions - 1 degrees of
/// freedom, and not less than 0. Throws Error for fewer than two sessions or an `sd` below 0.
double detectable_effect(double sd, int sessions, double level, double power = 0.8);

/// The smallest number of sessions, from 2 to `most`, with a detectable_effect of at most `effect`.
/// Empty where `most` do not suffice. Throws UsageError for an `effect` that is not above 0.
std::optional<int> sessions_needed(double sd, double level, double effect, double power = 0.8,
                                   int most = 1000);

/// By how much two processes of the same thing differ here: the standard deviation of the null
/// arm's session values over sqrt(2). Throws Error for fewer than two.
double process_sd(std::span<const double> null_sessions);

/// Whether the two copies of the baseline differ at the level 0.01, so that something other than
/// chance tells them apart and no verdict can rest on these sessions. False with fewer than two.
bool null_arm_differs(std::span<const double> null_sessions);

/// Whether the arm varies more from session to session than two copies of the baseline do: an F
/// test at the level 0.05, one-sided, of the variance of `sessions` against 0.75 times the null
/// arm's mean square. 0.75 is the ratio of var((l_B + l_B') / 2 - l_a) and var(l_B - l_B') for
/// processes that vary alike; the two are uncorrelated then. False with fewer than two sessions or
/// no null session.
bool noisier_than_null(std::span<const double> sessions, std::span<const double> null_sessions);

/// The level at which Holm's procedure (1979) tests each hypothesis, in the order of `p_values`:
/// level / m for the smallest of m, level / (m - 1) for the next one if that was rejected, and so
/// on; from the first that is not rejected on, all keep its level. A hypothesis is rejected if its
/// p-value is at most its level. Throws Error for a p-value outside [0, 1].
std::vector<double> holm_levels(std::span<const double> p_values, double level);

}  // namespace mpbench::stats
