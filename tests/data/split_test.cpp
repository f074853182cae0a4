#include "mpbench/data/split.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

using ::testing::ElementsAre;

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

/// Images of random patients: 1 to 14 a patient, in which a label comes by chance, alone or in a
/// run.
std::vector<Sample> random_patients(SplitMix64& random, std::uint64_t fewest) {
  std::vector<Sample> samples;
  const auto patients = fewest + draw_below(random, 60);
  const auto labels = 1 + draw_below(random, 4);
  const auto rarity = 1 + draw_below(random, 30);
  for (std::uint64_t p = 0; p < patients; ++p) {
    const auto images = 1 + draw_below(random, 14);
    for (std::uint64_t i = 0; i < images; ++i) {
      const bool rare = draw_below(random, rarity) == 0;
      samples.push_back({fmt::format("{}-{}", p, i), fmt::format("{}", p), "",
                         rare ? static_cast<int>(draw_below(random, labels)) : 0});
    }
  }
  shuffle(samples, random);  // a patient's images need not stand together
  return samples;
}

TEST(SplitTest, NeverHasAPatientOnBothSides) {
  SplitMix64 random(1);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto samples = random_patients(random, 12);
    const auto split = grouped_stratified_split(samples, 0.3, random());
    const auto train = groups(samples, split.train);
    for (const auto& name : groups(samples, split.validation)) {
      EXPECT_FALSE(train.contains(name)) << name << ", repeat " << repeat;
    }
  }
}

TEST(FoldsTest, ValidatesEveryPatientInExactlyOne) {
  SplitMix64 random(2);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto samples = random_patients(random, 2);
    std::vector<std::int64_t> all_images(samples.size());
    std::iota(all_images.begin(), all_images.end(), 0);
    const auto patients = groups(samples, all_images).size();
    const auto k =
        static_cast<int>(2 + draw_below(random, std::min<std::size_t>(patients, 12) - 1));
    const auto folds = grouped_stratified_folds(samples, k, random());
    ASSERT_EQ(folds.size(), static_cast<std::size_t>(k));
    std::map<std::string, int> fold_of;
    for (int f = 0; f < k; ++f) {
      const auto& fold = folds[static_cast<std::size_t>(f)];
      EXPECT_FALSE(fold.validation.empty()) << "there are enough patients for all";
      for (const auto& name : groups(samples, fold.validation)) {
        EXPECT_TRUE(fold_of.emplace(name, f).second) << name << " is in two folds";
      }
      std::vector<std::int64_t> both;
      std::merge(fold.train.begin(), fold.train.end(), fold.validation.begin(),
                 fold.validation.end(), std::back_inserter(both));
      EXPECT_EQ(both, all_images) << "each image is on one side of each fold";
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const bool is_validation =
            std::binary_search(fold.validation.begin(), fold.validation.end(), i);
        EXPECT_EQ(fold.folds.at(i) == f, is_validation);
      }
    }
    EXPECT_EQ(fold_of.size(), patients);
  }
}

TEST(FoldsTest, SharesPositivesAndImagesOutEvenly) {
  const auto samples = make_patients(203);
  const auto folds = grouped_stratified_folds(samples, 5, 3);
  for (const auto& fold : folds) {
    // 21 positives and 1115 images.
    EXPECT_THAT(positives(samples, fold.validation), ::testing::AnyOf(4, 5));
    EXPECT_NEAR(static_cast<double>(fold.validation.size()), 223, 1);
  }
}

TEST(FoldsTest, GivesEachWhatThereIsOfARareLabel) {
  const auto samples = make_patients(30);  // three are positive
  int with = 0;
  for (const auto& fold : grouped_stratified_folds(samples, 5, 0)) {
    const int count = positives(samples, fold.validation);
    EXPECT_LE(count, 1);
    with += count;
    EXPECT_EQ(positives(samples, fold.train), 3 - count);
  }
  EXPECT_EQ(with, 3);
}

TEST(FoldsTest, DependOnTheSeed) {
  const auto samples = make_patients(100);
  const auto validation = [&](std::uint64_t seed) {
    return grouped_stratified_folds(samples, 5, seed)[0].validation;
  };
  EXPECT_EQ(validation(1), validation(1));
  EXPECT_NE(validation(1), validation(2));
}

// The fold of each patient, worked out by an independent program (Python integers) from the
// definitions; two of them change places after the first deal.
TEST(FoldsTest, AreTheSameOnEveryMachine) {
  const auto samples = make_patients(25);
  const auto folds = grouped_stratified_folds(samples, 4, 1)[0].folds;
  std::vector<int> of_patients;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i == 0 || samples[i].group != samples[i - 1].group) of_patients.push_back(folds[i]);
  }
  EXPECT_THAT(of_patients, ElementsAre(1, 0, 1, 1, 2, 0, 2, 0, 2, 0, 0, 1, 3, 3, 3, 3, 2, 3, 0, 3,
                                       2, 2, 1, 2, 1));
}

TEST(FoldsTest, RefusesWhatCannotBeFolded) {
  const auto samples = make_patients(3);
  EXPECT_THROW(grouped_stratified_folds(samples, 1, 0), UsageError);
  EXPECT_THROW(grouped_stratified_folds(samples, -1, 0), UsageError);
  EXPECT_THROW(grouped_stratified_folds(samples, 4, 0), Error);
  EXPECT_THROW(grouped_stratified_folds({}, 2, 0), Error);
  EXPECT_EQ(grouped_stratified_folds(samples, 3, 0).size(), 3U);
}

TEST(SplitCsvTest, SurvivesAFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(20);
  const auto split = grouped_stratified_split(samples, 0.2, 1);
  write_split_csv(path, samples, split);
  EXPECT_EQ(csv::read(path).header, (std::vector<std::string>{"id", "split"}));
  const auto again = read_split_csv(path, samples);
  EXPECT_EQ(again.train, split.train);
  EXPECT_EQ(again.validation, split.validation);
  EXPECT_THROW(read_folds_csv(path, samples, 5), InputError) << "it has no folds";
}

TEST(SplitCsvTest, SurvivesAFileWithFolds) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(20);
  const auto folds = grouped_stratified_folds(samples, 4, 1);
  write_split_csv(path, samples, folds[2]);
  EXPECT_EQ(csv::read(path).header, (std::vector<std::string>{"id", "split", "fold"}));
  EXPECT_EQ(read_split_csv(path, samples).validation, folds[2].validation);
  const auto again = read_folds_csv(path, samples, 4);
  ASSERT_EQ(again.size(), 4U);
  for (std::size_t f = 0; f < 4; ++f) {
    EXPECT_EQ(again[f].train, folds[f].train);
    EXPECT_EQ(again[f].validation, folds[f].validation);
    EXPECT_EQ(again[f].folds, folds[f].folds);
  }
}

TEST(SplitCsvTest, LeavesOutWhatNoRowNames) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(3);
  write_file(path, "id,fold,split\n2-0,1,validation\n0-1,0,train\n");
  const auto split = read_split_csv(path, samples);
  EXPECT_THAT(split.train, ElementsAre(1));
  EXPECT_THAT(split.validation, ElementsAre(9));
  const auto folds = read_folds_csv(path, samples, 2);
  EXPECT_THAT(folds[1].validation, ElementsAre(9));
  EXPECT_THAT(folds[1].train, ElementsAre(1));
  write_split_csv(path, samples, folds[0]);
  EXPECT_EQ(csv::read(path).rows.size(), 2U);
}

TEST(SplitCsvTest, KeepsAThirdPartFromBoth) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(3);
  write_file(path, "id,split\n2-0,test\n0-1,train\n1-0,validation\n2-1,test\n");
  const auto split = read_split_csv(path, samples);
  EXPECT_THAT(split.train, ElementsAre(1));
  EXPECT_THAT(split.validation, ElementsAre(4));
  EXPECT_THAT(split.test, ElementsAre(9, 10));
  write_split_csv(path, samples, split);
  EXPECT_THAT(read_split_csv(path, samples).test, ElementsAre(9, 10));
}

TEST(SplitCsvTest, PassesOverWhatALimitLeftOut) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(2);
  write_file(path, "id,split,fold\n8-0,test,0\n0-0,train,0\n9-0,train,1\n1-0,validation,1\n");
  const auto split = read_split_csv(path, samples, /*is_limited=*/true);
  EXPECT_THAT(split.train, ElementsAre(0));
  EXPECT_THAT(split.validation, ElementsAre(4));
  EXPECT_THAT(split.test, ::testing::IsEmpty());
  EXPECT_THAT(read_folds_csv(path, samples, 2, /*is_limited=*/true)[0].validation, ElementsAre(0));
  EXPECT_THROW(read_folds_csv(path, samples, 2), InputError);
}

TEST(SplitCsvTest, RefusesAFileThatPutsAPatientInTwoParts) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "split.csv";
  const auto samples = make_patients(2);
  const auto refuses = [&](const char* text, const char* message) {
    write_file(path, text);
    EXPECT_THAT([&] { read_split_csv(path, samples); }, ThrowsWith<InputError>(message)) << text;
  };
  refuses("id,split\n0-0,train\n0-1,validation\n", "row 3, column split");
  refuses("id,split\n0-0,validation\n1-1,train\n0-3,train\n", "row 4, column split");
  refuses("id,split\n0-0,val\n", "not one of train, validation, test");
  refuses("id,split\n9-9,train\n", "not in the dataset");
  refuses("id,split\n0-0,train\n0-0,train\n", "twice");
  refuses("id,split\n0-0,train\n1-0,train\n", "no image is for validation");
  refuses("id,split\n0-0,validation\n", "no image is for training");
  refuses("id,split\n", "no image");
  refuses("id,fold\n0-0,0\n", "split");

  const auto refuses_folds = [&](const char* text, const char* message) {
    write_file(path, text);
    EXPECT_THAT([&] { read_folds_csv(path, samples, 2); }, ThrowsWith<InputError>(message)) << text;
  };
  refuses_folds("id,fold\n0-0,0\n1-0,1\n0-1,1\n", "row 4, column fold");
  refuses_folds("id,fold\n0-0,2\n", "'2' is not one of the folds 0 to 1");
  refuses_folds("id,fold\n0-0,-1\n", "'-1' is not one");
  refuses_folds("id,fold\n0-0,0x\n", "'0x' is not one");
  refuses_folds("id,fold\n0-0,\n", "'' is not one");
  refuses_folds("id,fold\n0-0,99999999999\n", "is not one");
  refuses_folds("id,fold\n0-0,1\n1-0,1\n", "no image is in fold 0");
  refuses_folds("id,split\n0-0,train\n", "fold");
  EXPECT_THROW(read_folds_csv(path, samples, 1), UsageError);
}

}  // namespace
}  // namespace mpbench::data
