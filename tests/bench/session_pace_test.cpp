#include "../../src/bench/session/session_pace.hpp"

#include <gmock/gmock.h>

namespace mpbench::bench {
namespace {

const std::vector<int> to_each_look{6, 12, 18};

SessionPace pace_of(double max_time_s, bool trainings_end = false) {
  return SessionPace({.trainings_end = trainings_end, .max_time_s = max_time_s});
}

TEST(SessionPaceTest, SharesTheTimeAmongAllSessionsWhereStartingIsCheap) {
  // What is left, and the start that is over, among 18 sessions: 9.8 s; five times a start is 5 s.
  EXPECT_NEAR(pace_of(180).block_budget_s(1, to_each_look), (0.97 * 180 + 1) / 18 - 1, 0.01);
}

TEST(SessionPaceTest, SharesItAmongFewerWhereStartingIsDear) {
  EXPECT_NEAR(pace_of(600).block_budget_s(9, to_each_look), (0.97 * 600 + 9) / 12 - 9, 0.01);
  EXPECT_NEAR(pace_of(600).block_budget_s(15, to_each_look), (0.97 * 600 + 15) / 6 - 15, 0.01);
  EXPECT_NEAR(pace_of(60).block_budget_s(8, to_each_look), 8, 0.01)
      << "a session of starts measures nothing";
}

TEST(SessionPaceTest, AllowsWhatEndsATenthLate) {
  SessionPace pace = pace_of(100);
  EXPECT_TRUE(pace.allows_another());
  pace.session_done(109, SessionKind::speed_only);
  EXPECT_TRUE(pace.allows_another());
  pace.session_done(111, SessionKind::speed_only);
  EXPECT_FALSE(pace.allows_another());
  EXPECT_TRUE(pace_of(0).allows_another()) << "no limit";
}

TEST(SessionPaceTest, TrainingsOfAGivenLengthTakeNoTimeFromTheOthers) {
  SessionPace pace = pace_of(100, /*trainings_end=*/true);
  pace.session_done(1000, SessionKind::training);
  EXPECT_TRUE(pace.allows_another());
  SessionPace limited = pace_of(100);
  limited.session_done(1000, SessionKind::training);
  EXPECT_FALSE(limited.allows_another());
}

TEST(SessionPaceTest, ATrainingThatIsDoneAgainCountsLikewise) {
  SessionPace pace = pace_of(100, /*trainings_end=*/true);
  pace.session_discarded(1000, SessionKind::training);
  EXPECT_GT(pace.block_budget_s(1, to_each_look), 50) << "in truth no time has passed";
  EXPECT_EQ(pace.done(), 0);
}

TEST(SessionPaceTest, TellsWhatIsLeft) {
  SessionPace pace = pace_of(0);
  EXPECT_EQ(pace.seconds_left(), 0) << "nothing is known yet";
  pace.expect(6);
  pace.session_done(20, SessionKind::speed_only);
  pace.session_done(30, SessionKind::speed_only);
  EXPECT_EQ(pace.done(), 2);
  EXPECT_EQ(pace.seconds_of(4), 100);
  EXPECT_NEAR(pace.seconds_left(), 100, 0.1);
}

}  // namespace
}  // namespace mpbench::bench
