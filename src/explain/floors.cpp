#include "floors.hpp"

#include <algorithm>

#include "dtypes.hpp"

namespace mpbench::explain {

std::optional<double> floor_ms(const profile::OperatorRecord& row, Precision precision,
                               const profile::MachineRates& rates) {
  std::optional<double> floor;
  const std::optional<double> rate = rates.gflop_per_s(precision);
  if (row.gflop && rate) floor = 1e3 * *row.gflop / *rate;
  // A megabyte takes as many milliseconds as a gigabyte takes seconds.
  if (row.mbytes && rates.copy_gb_per_s > 0) {
    floor = std::max(floor.value_or(0), *row.mbytes / rates.copy_gb_per_s);
  }
  return floor;
}

Precision computed_in(const profile::OperatorRecord& row, Precision arm) {
  if (row.dtype == bfloat16) return Precision::bf16;
  if (row.dtype == float16) return Precision::fp16;
  return arm == Precision::tf32 ? Precision::tf32 : Precision::fp32;
}

int bytes_of(Precision precision) { return is_mixed(precision) ? 2 : 4; }

}  // namespace mpbench::explain
