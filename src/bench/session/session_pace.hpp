#pragma once

#include <algorithm>

#include "mpbench/bench/sessions.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::bench {

/// How long a run for its speed alone may go on: as good as for ever.
inline constexpr std::int64_t steps_without_end = 1'000'000'000;

/// What the sessions of a comparison cost, and whether there is time for another.
class SessionPace {
 public:
  explicit SessionPace(const SessionsOptions& options) : max_time_s_(options.max_time_s) {}

  /// So many sessions are to be run in all.
  void expect(int sessions) { expected_ = std::max(1, sessions); }
  void session_done(double seconds) {
    last_s_ = seconds;
    total_s_ += seconds;
    ++done_;
    before_s_ = clock_.seconds() - total_s_;
  }

  /// A tenth more than was asked for is better than a session less.
  bool allows_another() const {
    return max_time_s_ <= 0 || clock_.seconds() + last_s_ <= 1.1 * max_time_s_;
  }
  /// What is left for one session; 0: no limit.
  double session_budget_s() const {
    if (max_time_s_ <= 0) return 0;
    constexpr double share_planned = 0.95;
    constexpr double shortest_s = 0.1;
    const double left_s = share_planned * max_time_s_ - clock_.seconds();
    return std::max(shortest_s, left_s / std::max(1, expected_ - done_));
  }
  /// About how long the sessions take that are still expected; 0: not known yet.
  double seconds_left() const {
    if (done_ == 0) return 0;
    const double in_session_s = clock_.seconds() - total_s_ - before_s_;
    const double left_s = seconds_of(expected_ - done_) - std::max(0.0, in_session_s);
    const double limit_s = max_time_s_ > 0 ? 1.1 * max_time_s_ - clock_.seconds() : left_s;
    return std::max(0.0, std::min(left_s, limit_s));
  }
  double seconds_of(int sessions) const { return done_ == 0 ? 0 : total_s_ / done_ * sessions; }

 private:
  double max_time_s_;
  Stopwatch clock_;
  double last_s_ = 0;
  double total_s_ = 0;
  double before_s_ = 0;  ///< spent between sessions
  int done_ = 0;
  int expected_ = 1;
};

}  // namespace mpbench::bench
