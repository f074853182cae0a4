#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "mpbench/profile/operator_record.hpp"
#include "operator_times.hpp"
#include "profiled_event.hpp"

namespace mpbench::profile {

/// The operators of profiled steps, a row each kind, name, shapes and dtype.
class OperatorTable {
 public:
  /// A call of a convolution that stands for all of its row.
  struct Convolution {
    ProfiledEvent call;
    double calls = 0;  ///< in all steps
    double ms = 0;     ///< likewise
  };

  /// Adds what was profiled of `steps` steps, which took `seconds` together, `data_wait_s` of them
  /// waiting for data. What of their time is in no event is `host`.
  void add(const std::vector<ProfiledEvent>& events, TimedDevice device, std::int64_t steps,
           double seconds, double data_wait_s);

  std::int64_t steps() const { return steps_; }
  /// A step's, the slowest first.
  std::vector<OperatorRecord> records() const;
  /// The forward passes of convolutions that are not depthwise, the slowest first.
  std::vector<Convolution> convolutions() const;

 private:
  using Key = std::tuple<OperatorKind, std::string, std::string, std::string>;
  struct Row {
    double calls = 0;
    double ms = 0;
    std::optional<double> gflop{};
    std::optional<double> mbytes{};
  };

  void add_time(const ProfiledEvent& event, const OperatorTime& time);
  void add_convolution(const ProfiledEvent& call, const OperatorTime& time);

  std::map<Key, Row> rows_;
  std::map<std::string, Convolution> convolutions_;  ///< by shapes, dtype and settings
  std::int64_t steps_ = 0;
  double ms_ = 0;
};

/// The shapes of an operator's tensors, as operators.csv has them: "[32,1,64,64] [16,1,3,3]".
std::string shapes_text(const ProfiledEvent& event);

}  // namespace mpbench::profile
