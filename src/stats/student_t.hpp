#pragma once

#include <string_view>

/// Student's t distribution, as the statistics over sessions need it.
namespace mpbench::stats {

/// Throws UsageError "a NAME is between 0 and 1, not VALUE" unless it is, both excluded.
void check_probability(double value, std::string_view name);

/// The value that is exceeded with this probability: t(1 - probability).
double t_upper_quantile(double probability, double degrees);

/// The probability of a value further from 0 than `t` is, on either side.
double t_two_sided(double t, double degrees);

}  // namespace mpbench::stats
