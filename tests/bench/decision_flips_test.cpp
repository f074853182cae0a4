#include "../../src/bench/decision_flips.hpp"

#include <gmock/gmock.h>

#include <map>

namespace mpbench::bench {
namespace {

using testing::IsEmpty;

class DecisionFlipsTest : public testing::Test {
 protected:
  DecisionFlipsTest() {
    baseline_.run_id = "fp32-r1";
    baseline_.val_threshold = 0.5;
    arm_.run_id = "bf16-r1";
    arm_.repeat = 3;
    group_.identity.configuration = "c";
  }

  void add(const std::string& id, int label, double baseline_score, double arm_score,
           const std::string& breast = "") {
    rows_[baseline_.run_id].push_back({.sample_id = id,
                                       .group = "patient",
                                       .case_id = breast,
                                       .label = label,
                                       .score = baseline_score,
                                       .predicted = baseline_score >= 0.5 ? 1 : 0});
    rows_[arm_.run_id].push_back(rows_[baseline_.run_id].back());
    rows_[arm_.run_id].back().score = arm_score;
    rows_[arm_.run_id].back().predicted = arm_score >= 0.5 ? 1 : 0;
  }

  DecisionFlips flips() {
    const PredictionLookup lookup = [&](const std::string& id) { return rows_[id]; };
    PredictionStore store(lookup);
    return decision_flips(group_, {.name = "bf16", .compared_with = "fp32"}, {{&baseline_, &arm_}},
                          store);
  }

  RunRecord baseline_;
  RunRecord arm_;
  RunGroup group_;
  std::map<std::string, std::vector<PredictionRow>> rows_;
};

TEST_F(DecisionFlipsTest, CountsBothWays) {
  add("right", 1, 0.9, 0.8);
  add("wrong", 1, 0.1, 0.2);
  add("lost", 1, 0.6, 0.4);
  add("lost too", 0, 0.4, 0.5);
  add("gained", 0, 0.7, 0.3);
  const DecisionFlips found = flips();
  ASSERT_EQ(found.repeats.size(), 1U);
  const DecisionRecord& record = found.repeats.front();
  EXPECT_EQ(record.configuration, "c");
  EXPECT_EQ(record.repeat, 3);
  EXPECT_EQ(record.unit, "image");
  EXPECT_EQ(record.decisions, 5);
  EXPECT_EQ(record.both_right, 1);
  EXPECT_EQ(record.both_wrong, 1);
  EXPECT_EQ(record.lost, 2);
  EXPECT_EQ(record.gained, 1);
  EXPECT_NEAR(record.mcnemar_p, 1, 1e-12) << "two of three";
  ASSERT_EQ(found.flips.size(), 3U);
  EXPECT_EQ(found.flips[0].sample_id, "gained");
  EXPECT_EQ(found.flips[0].baseline_decision, 1);
  EXPECT_EQ(found.flips[0].arm_decision, 0);
}

TEST_F(DecisionFlipsTest, IsAtTheBaselinesThreshold) {
  add("a", 1, 0.3, 0.2);
  add("b", 0, 0.1, 0.1);
  EXPECT_THAT(flips().flips, IsEmpty());
  baseline_.val_threshold = 0.25;
  EXPECT_EQ(flips().flips.size(), 1U);
  EXPECT_EQ(flips().repeats.front().lost, 1);
}

TEST_F(DecisionFlipsTest, JudgesBreasts) {
  add("cc", 1, 0.9, 0.9, "p_L");
  add("mlo", 1, 0.3, 0.0, "p_L");
  const DecisionFlips found = flips();
  ASSERT_EQ(found.flips.size(), 1U) << "means of 0.6 and 0.45; no image's decision differs";
  EXPECT_EQ(found.flips.front().unit, "breast");
  EXPECT_EQ(found.flips.front().sample_id, "p_L");
  ASSERT_EQ(found.repeats.size(), 2U);
  EXPECT_EQ(found.repeats[0].decisions, 1);
  EXPECT_EQ(found.repeats[1].unit, "image");
  EXPECT_EQ(found.repeats[1].decisions, 2);
}

TEST_F(DecisionFlipsTest, AreCountedByWhatIsKnownOfTheImages) {
  add("lost", 1, 0.9, 0.1, "p_L");
  add("right", 1, 0.9, 0.9, "p_L");
  add("gained", 0, 0.9, 0.1, "q_L");
  for (auto& [run, rows] : rows_) {
    rows[0].attributes = {.site = "1", .view = "CC", .age = "61"};
    rows[1].attributes = {.site = "1", .view = "MLO", .age = "61"};
    rows[2].attributes = {.site = "2", .view = "CC", .age = "69.0"};
  }
  std::map<std::string, DecisionRecord> found;
  for (const DecisionRecord& record : flips().repeats) {
    const std::string name = record.unit + " " + record.attribute + " " + record.value;
    EXPECT_TRUE(found.emplace(name, record).second) << name;
  }
  EXPECT_EQ(found.at("image  ").decisions, 3);
  EXPECT_EQ(found.at("image site 1").decisions, 2);
  EXPECT_EQ(found.at("image site 1").lost, 1);
  EXPECT_EQ(found.at("image site 2").gained, 1);
  EXPECT_EQ(found.at("image view CC").decisions, 2);
  EXPECT_EQ(found.at("image view MLO").both_right, 1);
  EXPECT_EQ(found.at("image age 60-69").decisions, 3);
  EXPECT_EQ(found.at("breast site 2").decisions, 1);
  EXPECT_FALSE(found.contains("breast view CC")) << "a breast has several views";
  EXPECT_FALSE(found.contains("image machine unknown")) << "of none is it known";
  EXPECT_EQ(flips().flips.front().attributes.site, "2");
}

TEST_F(DecisionFlipsTest, AnAgeThatIsNoneIsUnknown) {
  add("a", 1, 0.9, 0.9);
  add("b", 1, 0.9, 0.9);
  add("c", 1, 0.9, 0.9);
  for (auto& [run, rows] : rows_) {
    rows[0].attributes.age = "old";
    rows[1].attributes.age = "1000";
    rows[2].attributes.age = "5";
  }
  const auto repeats = flips().repeats;
  ASSERT_EQ(repeats.size(), 3U);
  EXPECT_EQ(repeats[1].value, "0-9");
  EXPECT_EQ(repeats[2].value, "unknown");
  EXPECT_EQ(repeats[2].decisions, 2);
}

TEST_F(DecisionFlipsTest, WhatTellsEverySampleApartMakesNoGroups) {
  for (int i = 0; i < 60; ++i) add(std::to_string(i), 1, 0.9, 0.9);
  for (auto& [run, rows] : rows_) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].attributes.machine = rows[i].sample_id;
  }
  EXPECT_EQ(flips().repeats.size(), 1U);
}

TEST_F(DecisionFlipsTest, OfSeveralClassesTheClassCounts) {
  add("a", 2, 0.6, 0.6);
  baseline_.val_threshold.reset();
  rows_[arm_.run_id].front().predicted = 2;
  const DecisionFlips found = flips();
  ASSERT_EQ(found.flips.size(), 1U);
  EXPECT_EQ(found.repeats.front().gained, 1);
  EXPECT_EQ(found.repeats.front().threshold, std::nullopt);
}

TEST_F(DecisionFlipsTest, OtherSamplesAreNotCompared) {
  EXPECT_THAT(flips().repeats, IsEmpty());
  add("a", 1, 0.9, 0.8);
  rows_[arm_.run_id].front().sample_id = "b";
  EXPECT_THAT(flips().repeats, IsEmpty());
}

TEST_F(DecisionFlipsTest, OtherBreastsAreNotCompared) {
  add("a", 1, 0.9, 0.8, "p_L");
  add("b", 1, 0.9, 0.8, "p_R");
  rows_[arm_.run_id].back().case_id = "p_L";
  for (const DecisionRecord& record : flips().repeats) EXPECT_EQ(record.unit, "image");
}

}  // namespace
}  // namespace mpbench::bench
