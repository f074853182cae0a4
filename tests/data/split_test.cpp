#include "mpbench/data/split.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "data/image_sets.hpp"
#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Patients of 4 to 7 images; every tenth is positive, in one image alone.
std::vector<Sample> make_patients(int patients) {
  std::vector<Sample> samples;
  for (int p = 0; p < patients; ++p) {
    for (int i = 0; i < 4 + p % 4; ++i) {
      samples.push_back({fmt::format("{}-{}", p, i), fmt::format("{}", p), fmt::format("{}_L", p),
                         p % 10 == 0 && i == 2 ? 1 : 0});
    }
  }
  return samples;
}

std::set<std::string> groups(const std::vector<Sample>& samples,
                             const std::vector<std::int64_t>& indices) {
  std::set<std::string> names;
  for (const auto i : indices) names.insert(samples[static_cast<std::size_t>(i)].group);
  return names;
}

int positives(const std::vector<Sample>& samples, const std::vector<std::int64_t>& indices) {
  int count = 0;
  for (const auto i : indices) count += samples[static_cast<std::size_t>(i)].label;
  return count;
}

TEST(SplitTest, KeepsPatientsWholeAndProportionsEqual) {
  const auto samples = make_patients(200);
  const auto split = grouped_stratified_split(samples, 0.25, 3);
  EXPECT_EQ(split.train.size() + split.validation.size(), samples.size());
  const auto train = groups(samples, split.train);
  const auto validation = groups(samples, split.validation);
  EXPECT_EQ(train.size(), 150U);
  EXPECT_EQ(validation.size(), 50U);
  for (const auto& name : validation) EXPECT_FALSE(train.contains(name)) << name;
  EXPECT_EQ(positives(samples, split.train), 15);
  EXPECT_EQ(positives(samples, split.validation), 5);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
}

TEST(SplitTest, GivesBothSidesAPositiveWhereThereAreTwo) {
  const auto samples = make_patients(20);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto split = grouped_stratified_split(samples, 0.05, seed);
    EXPECT_EQ(positives(samples, split.validation), 1);
    EXPECT_EQ(positives(samples, split.train), 1);
  }
}

// The numbers were worked out by an independent program (Python integers) from the definitions:
// SplitMix64 and Fisher-Yates. They must be the same on every machine.
TEST(SplitTest, IsTheSameOnEveryMachine) {
  std::vector<Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back({"", fmt::format("{}", i), "", 0});
  EXPECT_THAT(grouped_stratified_split(samples, 0.25, 7).validation, ElementsAre(1, 5, 9));
  EXPECT_THAT(grouped_stratified_split(samples, 0.25, 8).validation, ElementsAre(4, 9, 10));
}

TEST(SplitTest, RefusesWhatCannotBeSplit) {
  const auto samples = make_patients(3);
  EXPECT_THROW(grouped_stratified_split(samples, 0, 0), UsageError);
  EXPECT_THROW(grouped_stratified_split(samples, 1, 0), UsageError);
  EXPECT_THROW(grouped_stratified_split(make_patients(1), 0.5, 0), Error);
  EXPECT_THROW(grouped_stratified_split({}, 0.5, 0), Error);
}

TEST(SplitTest, SurvivesAFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(20);
  const auto split = grouped_stratified_split(samples, 0.2, 1);
  write_split_csv(path, samples, split);
  const auto again = read_split_csv(path, samples);
  EXPECT_EQ(again.train, split.train);
  EXPECT_EQ(again.validation, split.validation);
}

TEST(SplitTest, RefusesAFileThatPutsAPatientOnBothSides) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(2);
  const auto refuses = [&](const char* text, const char* message) {
    write_file(path, text);
    try {
      read_split_csv(path, samples);
      ADD_FAILURE() << "accepted " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  refuses("id,split\n0-0,train\n0-1,validation\n", "row 3, column split");
  refuses("id,split\n0-0,test\n", "neither train nor validation");
  refuses("id,split\n9-9,train\n", "not in the dataset");
  refuses("id,split\n0-0,train\n0-0,train\n", "twice");
}

}  // namespace
}  // namespace mpbench::data
