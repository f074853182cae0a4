#include "mpbench/bench/sessions.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "../speed_comparison.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/core/timer.hpp"
#include "session.hpp"
#include "session_log.hpp"
#include "session_pace.hpp"

namespace mpbench::bench {
namespace {

/// An arm that ended early in so many sessions one after the other is left out of those that
/// follow; and so often memory runs out before processes are no longer run at the same time: one
/// that was killed by somebody looks the same.
constexpr int most_failures = 2;

/// One configuration and how far it has come.
struct Course {
  const Configuration* configuration = nullptr;
  std::size_t place = 0;  ///< in the plan
  std::vector<std::string> hashes;
  std::vector<double> step_s;
  std::vector<int> failures;  ///< of each arm, one after the other
  std::set<int> attempted;    ///< sessions begun here
  std::size_t look = 0;       ///< the next one
  int out_of_memory = 0;      ///< sessions one after the other that ended so, all at once
  bool together = true;
  bool done = false;
};

class Sessions {
 public:
  Sessions(const Grid& grid, const std::vector<Configuration>& plan, ArmStarter& starter,
           const ConfigHash& hash_of, const SessionsOptions& options)
      : grid_(grid), starter_(starter), options_(options), log_(options.out), pace_(options) {
    for (const Configuration& configuration : plan) {
      Course& course = courses_.emplace_back();
      course.configuration = &configuration;
      course.place = courses_.size() - 1;
      course.together = options.together != Together::no;
      course.step_s.resize(configuration.arms.size());
      course.failures.resize(configuration.arms.size());
      for (const Arm& arm : configuration.arms) course.hashes.push_back(hash_of(arm.config));
    }
    pace_.expect(sessions_expected());
  }

  Measurements run() {
    bool any = true;
    while (any && !interrupt_requested()) {
      any = false;
      for (Course& course : courses_) {
        if (interrupt_requested() || !go_on(course)) continue;
        any = true;
      }
    }
    return {.runs = log_.runs(), .blocks = log_.blocks(), .sessions = log_.sessions()};
  }

 private:
  /// The session after which the course is looked at next, or `later` looks after that; trainings
  /// are done in any case.
  int limit(const Course& course, std::size_t later = 0) const {
    const std::vector<int>& looks = options_.speed.looks;
    const int look = looks[std::min(course.look + later, looks.size() - 1)];
    return options_.speed_only ? look : std::max(look, grid_.repeats);
  }

  int sessions_left(const Course& course, int until) const {
    if (course.done) return 0;
    int left = 0;
    for (int session = 1; session <= until; ++session) left += is_complete(course, session) ? 0 : 1;
    return left;
  }

  /// How many sessions are left to the next look, to the one after it and so on.
  std::vector<int> sessions_left() const {
    std::vector<int> all;
    for (std::size_t look = 0; look < options_.speed.looks.size(); ++look) {
      int left = 0;
      for (const Course& course : courses_) left += sessions_left(course, limit(course, look));
      all.push_back(left);
    }
    return all;
  }

  /// The look that answers what is asked, if sessions go on as they have; with fewer than two of
  /// them the last one.
  int likely_end(const Course& course) const {
    const std::vector<SpeedComparison> arms = compare(course);
    for (std::size_t look = 0; course.look + look < options_.speed.looks.size(); ++look) {
      const int sessions = limit(course, look);
      bool answered = !arms.empty();
      for (const SpeedComparison& arm : arms) {
        if (arm.sessions.kind != ArmKind::arm) continue;
        answered =
            answered && arm.interval && is_answer(stats::interval_after(*arm.interval, sessions));
      }
      if (answered) return sessions;
    }
    return limit(course, options_.speed.looks.size());
  }

  bool is_precise(const stats::SessionInterval& interval) const {
    return (interval.high - interval.low) / 2 <= std::log1p(options_.speed.target);
  }

  bool is_answer(const stats::SessionInterval& interval) const {
    return is_precise(interval) || stats::speed_verdict(interval, options_.speed.equivalence) !=
                                       stats::SpeedVerdict::unresolved;
  }

  int sessions_expected() const {
    int expected = pace_.done();
    for (const Course& course : courses_) expected += sessions_left(course, likely_end(course));
    return expected;
  }

  bool trains(int session) const { return !options_.speed_only && session <= grid_.repeats; }

  std::string run_id(const Arm& arm, int session) const {
    return make_run(grid_, arm, session).run_id;
  }

  /// Whether the session has nothing left to do for an arm.
  bool is_complete(const Course& course, std::size_t arm, int session) const {
    const Arm& which = course.configuration->arms[arm];
    const std::string id = run_id(which, session);
    if (trains(session) && log_.diverged(id)) return true;
    if (trains(session) && !log_.has_training(id)) return false;
    return log_.has_blocks(course.configuration->name, which, session, course.hashes[arm]);
  }

  /// A session's progress with its place among all, and about how long the rest takes.
  ProgressFunction told_progress(const Course& course, int session) const {
    if (!options_.progress) return {};
    const int last = limit(course);
    return [this, session, last](Progress progress) {
      progress.label = fmt::format("session {}/{}", session, last);
      if (const double left_s = pace_.seconds_left(); left_s > 0) {
        progress.detail += fmt::format(", ETA {}", format_duration(left_s));
      }
      options_.progress(progress);
    };
  }

  bool is_active(const Course& course, std::size_t arm) const {
    return course.failures[arm] < most_failures;
  }

  bool is_complete(const Course& course, int session) const {
    for (std::size_t arm = 0; arm < course.configuration->arms.size(); ++arm) {
      if (is_active(course, arm) && !is_complete(course, arm, session)) return false;
    }
    return true;
  }

  /// The next session to run; 0: none until the next look.
  int next_session(const Course& course) const {
    for (int session = 1; session <= limit(course); ++session) {
      if (!course.attempted.contains(session) && !is_complete(course, session)) return session;
    }
    // Once more what a process did not come through.
    for (int session = 1; session <= limit(course); ++session) {
      const bool again = !course.attempted.contains(-session) && !is_complete(course, session);
      if (again && course.attempted.contains(session)) return session;
    }
    return 0;
  }

  /// Runs one session, or takes a look; false where the course is done.
  bool go_on(Course& course) {
    if (course.done) return false;
    const int session = next_session(course);
    if (session == 0) {
      look_at(course);
      return !course.done;
    }
    if (!is_active(course, 0)) return end(course, "the baseline cannot be trained here");
    const bool must = trains(session) && options_.trainings_end;
    // Two are always run: without them there is no interval.
    const bool first_two = course.attempted.size() < 2;
    if (!must && !first_two && !pace_.allows_another()) {
      return end(course, "another would not end in the time that is left");
    }
    if (!course.attempted.insert(session).second) course.attempted.insert(-session);
    run(course, session);
    return true;
  }

  bool end(Course& course, const std::string& reason) {
    spdlog::warn("{}: no more sessions: {}", course.configuration->name, reason);
    course.done = true;
    return false;
  }

  void run(Course& course, int session) {
    const Stopwatch clock;
    SessionResult result;
    try {
      result = attempt(course, session);
    } catch (const Interrupted&) {
      return;  // what earlier sessions left is kept
    }
    if (may_come_apart(course) && ran_out_of_memory(result)) {
      pace_.session_discarded(clock.seconds(), result.record.kind);
      if (++course.out_of_memory == most_failures) {
        spdlog::warn("{}: memory does not hold all processes at once: they take turns as a whole",
                     course.configuration->name);
        course.together = false;
      }
      spdlog::info("session {} is begun once more", session);
      return run(course, session);
    }
    course.out_of_memory = 0;
    pace_.session_done(clock.seconds(), result.record.kind);
    log_session(course, session, result);
    log_.add(std::move(result));
    tell_outlook(course);
    pace_.expect(sessions_expected());
  }

  bool may_come_apart(const Course& course) const {
    return course.together && options_.together == Together::automatic;
  }

  static bool ran_out_of_memory(const SessionResult& result) {
    return std::any_of(result.runs.begin(), result.runs.end(),
                       [](const RunOutput& left) { return left.run.status == RunStatus::oom; });
  }

  SessionResult attempt(Course& course, int session) {
    const Configuration& configuration = *course.configuration;
    std::vector<SessionArm> arms;
    std::vector<std::size_t> places;
    bool training = false;
    for (std::size_t i = 0; i < configuration.arms.size(); ++i) {
      if (!is_active(course, i)) continue;
      const Arm& arm = configuration.arms[i];
      training = training || (trains(session) && !log_.has_training(run_id(arm, session)));
      places.push_back(i);
      arms.push_back({.arm = &arm,
                      .run = make_run(grid_, arm, session),
                      .config_hash = course.hashes[i],
                      .step_s = course.step_s[i]});
    }
    for (SessionArm& arm : arms) {
      if (training) continue;
      // For its speed alone a run needs no end.
      arm.run.config.steps = steps_without_end;
      arm.run.config.checkpoints = false;
    }
    SessionResult result =
        run_session(arms, starter_,
                    {.configuration = configuration.name,
                     .number = session,
                     .seed = mix_seed(grid_.seeds.front(), course.place),
                     .kind = training ? SessionKind::training : SessionKind::speed_only,
                     .together = course.together,
                     .block_budget = block_budget(training),
                     .stop_on_oom = may_come_apart(course),
                     .profile_steps = session == 1 ? options_.profile_steps : 0,
                     .progress = told_progress(course, session)});
    for (std::size_t i = 0; i < arms.size(); ++i) course.step_s[places[i]] = arms[i].step_s;
    // What memory does not hold together is no fault of an arm.
    if (may_come_apart(course) && ran_out_of_memory(result)) return result;
    count_failures(course, places, arms, result);
    return result;
  }

  std::function<double(double)> block_budget(bool training) const {
    if (training) return {};
    return [this](double start_s) { return pace_.block_budget_s(start_s, sessions_left()); };
  }

  void count_failures(Course& course, const std::vector<std::size_t>& places,
                      const std::vector<SessionArm>& arms, const SessionResult& result) const {
    for (std::size_t i = 0; i < arms.size(); ++i) {
      for (const RunOutput& left : result.runs) {
        if (left.run.run_id != arms[i].run.run_id) continue;
        int& failures = course.failures[places[i]];
        failures = left.run.status == RunStatus::ok ? 0 : failures + 1;
        if (failures < most_failures) continue;
        spdlog::warn("{} is left out from here on: {}: {}", arms[i].arm->id,
                     enum_name(left.run.status), left.run.error);
        spdlog::info("repeat it alone with: mpbench train --config {}",
                     (options_.out / "runs" / left.run.run_id / "run.toml").string());
      }
    }
  }

  void log_session(const Course& course, int session, const SessionResult& result) const {
    std::string arms;
    for (const RunOutput& left : result.runs) {
      arms += fmt::format("{}{} ", arms.empty() ? "" : ", ", left.run.arm);
      arms += left.run.status == RunStatus::ok
                  ? fmt::format("{:.4g} images/s", left.run.images_per_s.value_or(0))
                  : std::string(enum_name(left.run.status));
    }
    spdlog::info("session {}/{} of {}: {} rounds; {}", session, limit(course),
                 course.configuration->name, result.record.rounds, arms);
  }

  std::vector<SpeedComparison> compare(const Course& course) const {
    return compare_speed(session_values(those_of(log_.blocks(), course.configuration->name)),
                         options_.speed);
  }

  /// After two sessions: how many more a resolution takes.
  void tell_outlook(const Course& course) const {
    for (const SpeedComparison& arm : compare(course)) {
      if (arm.sessions.kind != ArmKind::arm || arm.sessions.values.size() != 2 || !arm.interval) {
        continue;
      }
      const double level = arm.interval->level;
      const auto needed =
          stats::sessions_needed(arm.interval->sd, level, options_.speed.equivalence);
      const std::string effect = fmt::format("{:g} %", 100 * options_.speed.equivalence);
      if (!needed) {
        spdlog::info("{}: too noisy here to find a difference of {}", arm.sessions.arm, effect);
      } else {
        spdlog::info("{}: finding a difference of {} takes about {} sessions, {}", arm.sessions.arm,
                     effect, *needed, format_duration(pace_.seconds_of(*needed)));
      }
    }
  }

  /// Ends the course where all that is asked of it is answered, or there are no looks left.
  void look_at(Course& course) {
    bool answered = true;
    for (const SpeedComparison& arm : compare(course)) {
      if (arm.sessions.kind != ArmKind::arm) continue;
      const bool clear = arm.verdict && arm.verdict != stats::SpeedVerdict::unresolved;
      answered = answered && (clear || (arm.interval && is_precise(*arm.interval)));
    }
    course.look += 1;
    course.done = answered || course.look >= options_.speed.looks.size();
  }

  const Grid& grid_;
  ArmStarter& starter_;
  const SessionsOptions& options_;
  SessionLog log_;
  SessionPace pace_;
  std::vector<Course> courses_;
};

}  // namespace

Measurements run_sessions(const Grid& grid, const std::vector<Configuration>& plan,
                          ArmStarter& starter, const ConfigHash& hash_of,
                          const SessionsOptions& options) {
  return Sessions(grid, plan, starter, hash_of, options).run();
}

}  // namespace mpbench::bench
