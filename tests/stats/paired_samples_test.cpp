#include "../../src/stats/paired_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

PairedPredictions four_images() {
  return {.group = {"b", "a", "b", "c"},
          .label = {1, 0, 0, 1},
          .baseline_score = {0.1, 0.2, 0.3, 0.4},
          .arm_score = {0.1, 0.2, 0.3, 0.4},
          .baseline_predicted = {0, 0, 0, 0},
          .arm_predicted = {0, 0, 0, 0}};
}

TEST(PairedSamplesTest, NumbersPatientsAndCountsThoseOfEachClass) {
  const auto samples = paired_samples(std::vector{four_images(), four_images()});
  EXPECT_EQ(samples.patient, (std::vector<std::size_t>{0, 1, 0, 2}));
  EXPECT_EQ(samples.patients, 3U);
  EXPECT_EQ(samples.positive_patients, 2U);
  EXPECT_EQ(samples.negative_patients, 2U);
  EXPECT_EQ(samples.classes, 2);
}

TEST(PairedSamplesTest, CountsClasses) {
  PairedPredictions images = four_images();
  images.label = {4, 0, 0, 1};
  EXPECT_EQ(paired_samples(std::vector{images}).classes, 5);
  images.label = {0, 0, 0, 0};
  EXPECT_EQ(paired_samples(std::vector{images}).classes, 2);
}

TEST(PairedSamplesTest, RefusesSeedsOfOtherSamples) {
  PairedPredictions other_patient = four_images();
  other_patient.group[3] = "d";
  PairedPredictions other_label = four_images();
  other_label.label[3] = 0;
  PairedPredictions fewer{.group = {"b"},
                          .label = {1},
                          .baseline_score = {0.1},
                          .arm_score = {0.1},
                          .baseline_predicted = {0},
                          .arm_predicted = {0}};
  for (const PairedPredictions& other : {other_patient, other_label, fewer}) {
    EXPECT_THROW((void)paired_samples(std::vector{four_images(), other}), Error);
  }
}

TEST(PairedSamplesTest, RefusesWhatIsNotWhole) {
  EXPECT_THROW((void)paired_samples({}), Error);
  EXPECT_THROW((void)paired_samples(std::vector{PairedPredictions{}}), Error);
  const auto refused = [](auto member, auto value) {
    PairedPredictions images = four_images();
    (images.*member).push_back(value);
    EXPECT_THROW((void)paired_samples(std::vector{images}), Error);
  };
  refused(&PairedPredictions::group, std::string("d"));
  for (const auto member : {&PairedPredictions::label, &PairedPredictions::baseline_predicted,
                            &PairedPredictions::arm_predicted}) {
    refused(member, 1);
  }
  for (const auto member :
       {&PairedPredictions::baseline_score, &PairedPredictions::arm_score,
        &PairedPredictions::baseline_probability, &PairedPredictions::arm_probability}) {
    refused(member, 0.5);
  }
  PairedPredictions negative = four_images();
  negative.label[0] = -1;
  EXPECT_THROW((void)paired_samples(std::vector{negative}), Error);
}

}  // namespace
}  // namespace mpbench::stats
