#pragma once

#include <algorithm>
#include <span>

#include "mpbench/bench/sessions.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::bench {

/// How long a run for its speed alone may go on: as good as for ever.
inline constexpr std::int64_t steps_without_end = 1'000'000'000;

/// What the sessions of a comparison cost, and whether there is time for another.
class SessionPace {
 public:
  explicit SessionPace(const SessionsOptions& options)
      : max_time_s_(options.max_time_s), limits_trainings_(!options.trainings_end) {}

  int done() const { return done_; }
  /// So many sessions are to be run in all.
  void expect(int sessions) { expected_ = std::max(1, sessions); }
  void session_done(double seconds, SessionKind kind) {
    if (is_unlimited(kind)) {
      unlimited_s_ += seconds;
    } else {
      last_s_ = seconds;
    }
    total_s_ += seconds;
    ++done_;
    before_s_ = clock_.seconds() - total_s_;
  }

  /// One that will be done again.
  void session_discarded(double seconds, SessionKind kind) {
    if (is_unlimited(kind)) unlimited_s_ += seconds;
  }

  /// A tenth more than was asked for is better than a session less.
  bool allows_another() const {
    return max_time_s_ <= 0 || last_s_ <= 1.1 * max_time_s_ - spent_s();
  }
  /// Seconds for the blocks of a session that takes so long to start; 0: no limit. `left`: how many
  /// sessions are left with it, to the next look, to the one after that and so on. The time is
  /// shared among as many of them as leave each five times what starting takes: more sessions find
  /// more in the same time, up to where starting eats it. Not less than starting took, as a session
  /// of starts measures nothing.
  double block_budget_s(double start_s, std::span<const int> left) const {
    if (max_time_s_ <= 0 || left.empty()) return 0;
    constexpr double share_planned = 0.97;
    constexpr double worthwhile = 5;
    constexpr double shortest_s = 0.1;
    // Of this session the start is over.
    const double left_s = share_planned * max_time_s_ - spent_s() + start_s;
    double session_s = left_s / std::max(1, left.front());
    for (const int sessions : left) {
      const double shared_s = left_s / std::max(1, sessions);
      if (shared_s >= worthwhile * start_s) session_s = std::min(session_s, shared_s);
    }
    return std::max({session_s - start_s, start_s, shortest_s});
  }
  /// About how long the sessions take that are still expected; 0: not known yet.
  double seconds_left() const {
    if (done_ == 0) return 0;
    const double in_session_s = clock_.seconds() - total_s_ - before_s_;
    const double left_s = seconds_of(expected_ - done_) - std::max(0.0, in_session_s);
    const double limit_s = max_time_s_ > 0 && limits_trainings_ ? max_time_s_ - spent_s() : left_s;
    return std::max(0.0, std::min(left_s, limit_s));
  }
  double seconds_of(int sessions) const { return done_ == 0 ? 0 : total_s_ / done_ * sessions; }

 private:
  /// A session that trains to its end takes what it takes where the trainings' length was given.
  bool is_unlimited(SessionKind kind) const {
    return kind == SessionKind::training && !limits_trainings_;
  }

  /// Of the time that is limited.
  double spent_s() const { return clock_.seconds() - unlimited_s_; }

  double max_time_s_;
  bool limits_trainings_;
  Stopwatch clock_;
  double last_s_ = 0;
  double total_s_ = 0;
  double unlimited_s_ = 0;
  double before_s_ = 0;  ///< spent between sessions
  int done_ = 0;
  int expected_ = 1;
};

}  // namespace mpbench::bench
