#include "mpbench/bench/joined_comparison.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "mpbench/io/csv_records.hpp"

namespace mpbench::bench {
namespace {

using stats::SpeedVerdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A folder of one configuration, made up.
class Folder {
 public:
  explicit Folder(const std::string& name, const std::string& commit) {
    folder.name = name;
    folder.settings = {{"batch-size", "[32]"}, {"require", "[\"" + name + "\"]"}};
    commit_ = commit;
  }

  /// Two rounds of sessions in which the arm trains so many images a second.
  void add(const std::string& arm, const std::vector<double>& images_per_s) {
    const ArmKind kind = arm == "fp32"   ? ArmKind::baseline
                         : arm == "null" ? ArmKind::null
                                         : ArmKind::arm;
    for (std::size_t i = 0; i < images_per_s.size(); ++i) {
      for (const std::int64_t round : {1, 1, 2, 2}) {
        folder.measured.blocks.push_back({.configuration = "c",
                                          .arm = arm,
                                          .arm_kind = kind,
                                          .compared_with = kind == ArmKind::baseline ? "" : "fp32",
                                          .session = static_cast<std::int64_t>(i) + 1,
                                          .round = round,
                                          .steps = 10,
                                          .images = 40,
                                          .time_s = 40 / images_per_s[i]});
      }
    }
    RunRecord run;
    run.configuration = "c";
    run.arm = arm;
    run.model = "cnn";
    run.precision = arm == "null" ? "fp32" : arm;
    run.device_name = "a processor";
    run.threads = 2;
    run.git_commit = commit_;
    run.torch_version = "2.11.0";
    folder.measured.runs.push_back(run);
  }

  ComparisonFolder folder;

 private:
  std::string commit_;
};

/// A folder with sessions of both precisions and of the null arm.
ComparisonFolder measured(const std::string& name, const std::vector<double>& fp32,
                          const std::vector<double>& bf16, const std::string& commit = "1234") {
  Folder folder(name, commit);
  folder.add("fp32", fp32);
  folder.add("bf16", bf16);
  folder.add("null", fp32);
  return folder.folder;
}

const std::vector<double> even_sessions{100, 101, 99, 100, 102, 98};

std::vector<double> times(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

TEST(SpeedChangesTest, AreRatiosOfIndependentSessions) {
  const auto rows =
      speed_changes(measured("old", even_sessions, times(even_sessions, 2)),
                    measured("new", times(even_sessions, 0.9), times(even_sessions, 2)));
  ASSERT_EQ(rows.size(), 3U);
  const JoinedRow& fp32 = rows[0];
  EXPECT_EQ(fp32.where.folder, "new");
  EXPECT_EQ(fp32.where.compared_folder, "old");
  EXPECT_EQ(fp32.where.compared_sessions, 6);
  EXPECT_NEAR(*fp32.where.images_per_s / *fp32.where.compared_images_per_s, 0.9, 1e-12);
  EXPECT_EQ(fp32.row.arm, "fp32");
  EXPECT_EQ(fp32.row.compared_with, "fp32");
  EXPECT_EQ(fp32.row.arm_kind, ArmKind::baseline);
  EXPECT_EQ(fp32.row.model, "cnn");
  EXPECT_EQ(fp32.row.sessions, 6);
  EXPECT_EQ(fp32.row.rounds, 12);
  EXPECT_NEAR(*fp32.row.speedup, 0.9, 1e-12);
  EXPECT_EQ(fp32.row.speed_verdict, SpeedVerdict::slower);
  EXPECT_EQ(rows[1].row.arm, "bf16");
  EXPECT_NEAR(*rows[1].row.speedup, 1, 1e-12);
  EXPECT_EQ(rows[2].row.arm_kind, ArmKind::null);
}

TEST(SpeedChangesTest, HaveWelchsInterval) {
  // The logarithms have a standard deviation s, and both folders like ones: 10 degrees of freedom,
  // a standard error of s sqrt(2 / 6), t(0.975, 10) = 2.2281388520. The two arms are at 0.05 / 2
  // and 0.05: the first has the smaller p-value. t(0.9875, 10) = 2.6337669.
  const auto rows =
      speed_changes(measured("old", even_sessions, times(even_sessions, 2)),
                    measured("new", times(even_sessions, 0.9), times(even_sessions, 2)));
  double sum = 0;
  double squares = 0;
  for (const double value : even_sessions) {
    sum += std::log(value);
    squares += std::log(value) * std::log(value);
  }
  const double error = std::sqrt((squares - sum * sum / 6) / 5) * std::sqrt(2.0 / 6);
  EXPECT_NEAR(std::log(*rows[0].row.speedup_ci_high), std::log(0.9) + 2.6337669 * error, 1e-6);
  EXPECT_NEAR(std::log(*rows[1].row.speedup_ci_high), 2.2281388520 * error, 1e-6);
  EXPECT_NEAR(std::log(*rows[1].row.speedup_ci_low), -2.2281388520 * error, 1e-6);
  EXPECT_EQ(rows[1].row.speed_verdict, SpeedVerdict::equivalent);
}

TEST(SpeedChangesTest, OfOneSessionHaveNoInterval) {
  const auto rows =
      speed_changes(measured("old", {100}, {200}), measured("new", even_sessions, even_sessions));
  EXPECT_NEAR(*rows[1].row.speedup, 0.5, 1e-3);
  EXPECT_FALSE(rows[1].row.speedup_ci_low);
  EXPECT_FALSE(rows[1].row.speed_verdict);
  EXPECT_THAT(rows[1].row.note, HasSubstr("fewer than two sessions"));
}

TEST(SpeedChangesTest, AreOfArmsThatBothHave) {
  Folder old("old", "1234");
  old.add("fp32", even_sessions);
  const auto rows = speed_changes(old.folder, measured("new", even_sessions, even_sessions));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].row.arm, "fp32");
  ComparisonFolder other = measured("other", even_sessions, even_sessions);
  for (BlockRecord& block : other.measured.blocks) block.configuration = "d";
  EXPECT_THAT(speed_changes(old.folder, other), IsEmpty());
}

TEST(SpeedChangesTest, SayWhereTheMachinesDiffer) {
  ComparisonFolder now = measured("new", even_sessions, even_sessions);
  for (RunRecord& run : now.measured.runs) run.device_name = "another";
  const auto rows = speed_changes(measured("old", even_sessions, even_sessions), now);
  EXPECT_THAT(rows[0].row.note, HasSubstr("the machines differ: a processor and another"));
}

TEST(FolderDifferencesTest, NameFactsArmsAndOptions) {
  ComparisonFolder old = measured("old", even_sessions, even_sessions, "1234");
  Folder now("new", "5678");
  now.add("fp32", even_sessions);
  now.folder.settings["batch-size"] = "[64]";
  now.folder.settings["depthwise"] = "\"fp32\"";
  const auto found = folder_differences(std::vector{old, now.folder});
  std::vector<std::string> names;
  for (const FolderDifference& each : found) names.push_back(each.what);
  EXPECT_THAT(names, ElementsAre("git_commit", "arms", "--batch-size", "--depthwise"));
  EXPECT_THAT(found[0].values, ElementsAre("1234", "5678"));
  EXPECT_THAT(found[1].values, ElementsAre("c: fp32, bf16, null", "c: fp32"));
  EXPECT_THAT(found[3].values, ElementsAre("", "\"fp32\""));
}

TEST(FolderDifferencesTest, ThereAreNoneOfOneFolderOrOfLikeOnes) {
  const ComparisonFolder folder = measured("old", even_sessions, even_sessions);
  EXPECT_THAT(folder_differences(std::vector{folder}), IsEmpty());
  EXPECT_THAT(folder_differences(std::vector{folder, folder}), IsEmpty());
  EXPECT_THAT(folder_differences({}), IsEmpty());
}

TEST(FolderFactsTest, JoinSeveralValues) {
  ComparisonFolder folder = measured("old", even_sessions, even_sessions);
  folder.measured.runs[1].git_commit = "5678";
  folder.measured.runs[2].git_commit = "";
  EXPECT_EQ(facts_of(folder).git_commit, "1234, 5678");
  EXPECT_EQ(facts_of(folder).threads, "2");
  EXPECT_EQ(facts_of(folder).cuda_version, "");
}

TEST(JoinedRowsTest, AreThoseOfEachFolderAndThenTheChanges) {
  ComparisonFolder old = measured("old", even_sessions, even_sessions);
  ComparisonFolder now = measured("new", even_sessions, even_sessions);
  Comparison row;
  row.arm = "bf16";
  old.comparisons = now.comparisons = {row};
  const auto rows = joined_rows(std::vector{old, now});
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].where.folder, "old");
  EXPECT_EQ(rows[0].where.git_commit, "1234");
  EXPECT_EQ(rows[1].where.folder, "new");
  EXPECT_EQ(rows[1].where.compared_folder, "");
  EXPECT_EQ(rows[2].where.compared_folder, "old");
  const std::string text = csv::to_text(std::span<const JoinedRow>(rows));
  EXPECT_THAT(text, testing::StartsWith("folder,compared_folder,git_commit,torch_version,threads,"
                                        "compared_sessions,images_per_s,compared_images_per_s,"
                                        "baseline_run,arm_run,"));
}

}  // namespace
}  // namespace mpbench::bench
