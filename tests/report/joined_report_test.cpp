#include "mpbench/report/joined_report.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::report {
namespace {

using bench::ComparisonFolder;
using testing::HasSubstr;
using testing::Not;

/// A folder with a baseline and one arm, in so many sessions.
ComparisonFolder folder_of(const std::string& name, double images_per_s, int sessions = 6) {
  ComparisonFolder folder;
  folder.name = name;
  folder.path = "runs/" + name;
  folder.settings = {{"batch-size", "[32]"}};
  for (const char* arm : {"fp32", "bf16"}) {
    bench::RunRecord run;
    run.configuration = "cnn-b32";
    run.run_id = name + "-" + arm;
    run.arm = arm;
    run.status = bench::RunStatus::ok;
    run.model = "cnn";
    run.precision = arm;
    run.device_name = "a processor";
    run.git_commit = "commit-" + name;
    run.torch_version = "2.11.0";
    run.threads = 2;
    run.images_per_s = images_per_s;
    folder.measured.runs.push_back(run);
    const bool is_baseline = folder.measured.runs.size() == 1;
    for (int session = 1; session <= sessions; ++session) {
      for (const std::int64_t round : {1, 1, 2, 2}) {
        folder.measured.blocks.push_back(
            {.configuration = "cnn-b32",
             .arm = arm,
             .arm_kind = is_baseline ? bench::ArmKind::baseline : bench::ArmKind::arm,
             .compared_with = is_baseline ? "" : "fp32",
             .session = session,
             .round = round,
             .steps = 1,
             .images = 32,
             .time_s = 32 / (images_per_s + session)});
      }
    }
  }
  bench::Comparison row;
  row.configuration = "cnn-b32";
  row.model = "cnn";
  row.baseline_run = name + "-fp32";
  row.arm_run = name + "-bf16";
  row.arm = "bf16";
  row.arm_kind = bench::ArmKind::arm;
  row.compared_with = "fp32";
  row.sessions = sessions;
  row.speedup = 1.5;
  row.speed_verdict = stats::SpeedVerdict::faster;
  row.confidence = 0.95;
  row.note = "synthetic data; only in " + name;
  folder.comparisons = {row};
  return folder;
}

std::vector<ComparisonFolder> two_folders() {
  return {folder_of("old", 100), folder_of("new", 80)};
}

std::string table_of(const std::vector<ComparisonFolder>& folders, bool colour = false) {
  return joined_table(folders, bench::joined_rows(folders), 80, colour);
}

std::size_t place_of(const std::string& text, const std::string& part, std::size_t from = 0) {
  const std::size_t place = text.find(part, from);
  EXPECT_NE(place, std::string::npos) << part << "\n" << text;
  return place;
}

TEST(JoinedReportTest, NamesTheFoldersAndTheirDifferences) {
  const std::string text = table_of(two_folders());
  EXPECT_THAT(text, HasSubstr("2 comparisons\n"));
  EXPECT_THAT(text, HasSubstr("commit-old"));
  EXPECT_THAT(text, HasSubstr("differs: git_commit: old commit-old; new commit-new\n"));
  EXPECT_THAT(text, Not(HasSubstr("differs: device_name")));
  auto like = two_folders();
  for (bench::RunRecord& run : like[1].measured.runs) run.git_commit = "commit-old";
  EXPECT_THAT(table_of(like), HasSubstr("nor any option differs"));
}

TEST(JoinedReportTest, RowsOfOneArmAreOneBelowTheOther) {
  const std::string text = table_of(two_folders());
  const std::size_t table = place_of(text, "arm   folder");
  const std::size_t old_baseline = place_of(text, "fp32     old     100.0", table);
  const std::size_t new_baseline = place_of(text, "fp32     new     80.00", table);
  const std::size_t old_arm = place_of(text, "bf16     old     100.0", table);
  EXPECT_LT(old_baseline, new_baseline);
  EXPECT_LT(new_baseline, old_arm);
}

TEST(JoinedReportTest, NotesOfAllAreSaidOnce) {
  const std::string text = table_of(two_folders());
  EXPECT_THAT(text, HasSubstr("\nold: bf16: synthetic data; only in old\n"));
  EXPECT_THAT(text, HasSubstr("\nSpeed-up: useful images/s over fp32's, 6 sessions"));
  EXPECT_THAT(text, Not(HasSubstr("old: Speed-up")));
}

TEST(JoinedReportTest, ShowsTheChangeOfEachArmAndWhatItCannotTell) {
  const std::string text = table_of(two_folders());
  const std::size_t changes = place_of(text, "new beside old: cnn-b32\n");
  place_of(text, "ratio [95 % CI]", changes);
  place_of(text, "fp32   103.5  83.48  0.807 [", changes);
  place_of(text, "slower", changes);
  place_of(text, "mpbench compare --with", changes);
}

TEST(JoinedReportTest, OneWithOtherColumnsHasATableOfItsOwn) {
  auto folders = two_folders();
  folders[1].comparisons.front().confidence = 0.9;
  const std::string text = table_of(folders);
  EXPECT_THAT(text, HasSubstr("speed-up [95 % CI]"));
  EXPECT_THAT(text, HasSubstr("speed-up [90 % CI]"));
}

TEST(JoinedReportTest, FitsATerminalAndColoursOnlyWhenAsked) {
  const std::string text = table_of(two_folders());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(table_of(two_folders(), true), HasSubstr("\x1b["));
}

TEST(JoinedReportTest, IsMarkdownToo) {
  const auto folders = two_folders();
  const std::string text = joined_markdown(folders, bench::joined_rows(folders));
  EXPECT_THAT(text, HasSubstr("| arm | folder | images/s |"));
  EXPECT_THAT(text, HasSubstr("## new beside old: cnn-b32\n"));
  EXPECT_THAT(text, HasSubstr("- differs: git_commit"));
}

TEST(JoinedReportTest, IsJsonWithNullForWhatWasNotMeasured) {
  const auto folders = two_folders();
  const auto json = nlohmann::json::parse(joined_json(folders, bench::joined_rows(folders)));
  EXPECT_EQ(json.at("folders").at(0).at("path"), "runs/old");
  EXPECT_EQ(json.at("folders").at(1).at("git_commit"), "commit-new");
  EXPECT_EQ(json.at("differences").at("git_commit").at(1), "commit-new");
  ASSERT_EQ(json.at("rows").size(), 4U);
  const auto& row = json.at("rows").at(0);
  EXPECT_EQ(row.at("folder"), "old");
  EXPECT_EQ(row.at("speed_verdict"), "faster");
  EXPECT_EQ(row.at("speedup"), 1.5);
  EXPECT_TRUE(row.at("memory_ratio").is_null());
  EXPECT_EQ(json.at("rows").at(2).at("compared_folder"), "old");
  EXPECT_NEAR(json.at("rows").at(2).at("speedup").get<double>(), 0.807, 1e-3);
}

}  // namespace
}  // namespace mpbench::report
