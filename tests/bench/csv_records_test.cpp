#include "mpbench/io/csv_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/run_record.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::bench {
namespace {

using testing::HasSubstr;

class CsvTableTest : public testing::Test {
 protected:
  void write_text(const std::string& text) const { std::ofstream(path_) << text; }

  template <class Record>
  std::string refusal() const {
    const auto error = thrown_by<InputError>([&] { csv::read_records<Record>(path_); });
    return error ? error->what() : "accepted";
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "table.csv";
};

TEST_F(CsvTableTest, ARunSurvives) {
  RunRecord run;
  run.run_id = "cnn-b32";
  run.status = RunStatus::oom;
  run.error = "a \"quote\", a comma\nand a line break";
  run.steps = 0;
  run.channels_last = false;
  run.seed = std::numeric_limits<std::uint64_t>::max();
  run.images_per_s = 0.1 + 0.2;
  run.step_ms_mad = 5e-324;
  run.train_loss = std::numeric_limits<double>::quiet_NaN();
  run.val_loss = -std::numeric_limits<double>::infinity();
  csv::write_records(path_, std::vector<RunRecord>{run, RunRecord{}});
  const auto back = csv::read_records<RunRecord>(path_);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(csv::cells(back[0]), csv::cells(run));
  EXPECT_EQ(csv::cells(back[1]), csv::cells(RunRecord{}));
  EXPECT_EQ(back[0].images_per_s, run.images_per_s);
  EXPECT_EQ(back[0].step_ms_mad, run.step_ms_mad);
  EXPECT_TRUE(std::isnan(*back[0].train_loss));
  EXPECT_EQ(back[0].steps, 0);              // measured, and zero
  EXPECT_EQ(back[0].epochs, std::nullopt);  // not measured
}

TEST_F(CsvTableTest, EveryRecordHasItsTable) {
  csv::write_records(path_, std::vector<EpochRecord>{{.run_id = "a", .epoch = 2}});
  EXPECT_EQ(csv::read_records<EpochRecord>(path_).at(0).epoch, 2);
  csv::write_records(path_,
                     std::vector<PredictionRow>{{.sample_id = "i", .group = "p", .score = 0.25}});
  EXPECT_EQ(csv::read_records<PredictionRow>(path_).at(0).score, 0.25);
  SessionRecord session{.session = 3, .kind = SessionKind::training, .together = false};
  session.steal_fraction = 0;
  csv::write_records(path_, std::vector<SessionRecord>{session});
  const SessionRecord back = csv::read_records<SessionRecord>(path_).at(0);
  EXPECT_EQ(csv::cells(back), csv::cells(session));
  EXPECT_EQ(back.kind, SessionKind::training);
  EXPECT_EQ(back.steal_fraction, 0);
  EXPECT_EQ(back.other_cpu_fraction, std::nullopt);
  Comparison row;
  row.speed_verdict = stats::SpeedVerdict::faster;
  csv::write_records(path_, std::vector<Comparison>{row});
  EXPECT_EQ(csv::read_records<Comparison>(path_).at(0).speed_verdict, stats::SpeedVerdict::faster);
  csv::write_records(path_, std::vector<Comparison>{});
  EXPECT_TRUE(csv::read_records<Comparison>(path_).empty());
}

TEST_F(CsvTableTest, WritesWhatItSays) {
  const std::vector<PredictionRow> rows{{.sample_id = "1,2",
                                         .group = "say \"p\"",
                                         .case_id = "",
                                         .label = 1,
                                         .score = 1e-7,
                                         .predicted = 0,
                                         .logit = -16.5,
                                         .attributes = {.density = "C"}}};
  EXPECT_EQ(csv::to_text(std::span<const PredictionRow>(rows)),
            "sample_id,group,unit,label,score,predicted,logit,site,view,machine,density,age\n"
            "\"1,2\",\"say \"\"p\"\"\",,1,1e-07,0,-16.5,,,,C,\n");
}

TEST_F(CsvTableTest, ColumnsMayMoveAndNewOnesAppear) {
  write_text("predicted,score,later,label,unit,group,sample_id\n1,0.5,x,0,u,g,s\n");
  const PredictionRow row = csv::read_records<PredictionRow>(path_).at(0);
  EXPECT_EQ(row.sample_id, "s");
  EXPECT_EQ(row.score, 0.5);
  EXPECT_EQ(row.predicted, 1);
  EXPECT_EQ(row.logit, std::nullopt) << "a column that earlier versions did not write";
}

TEST_F(CsvTableTest, NamesWhatIsWrong) {
  write_text("sample_id,group,unit,label,score\ns,g,u,1,0.5\n");
  EXPECT_THAT(refusal<PredictionRow>(), HasSubstr("column predicted"));
  const std::string header = "sample_id,group,unit,label,score,predicted\n";
  for (const char* cell : {"1x", "", "+1", "1.5", "99999999999", "0x1"}) {
    write_text(header + "s,g,u,1,0.5,1\ns,g,u," + cell + ",0.5,1\n");
    EXPECT_THAT(refusal<PredictionRow>(), HasSubstr("row 3, column label")) << cell;
  }
  write_text(header + "s,g,u,1,many,1\n");
  EXPECT_THAT(refusal<PredictionRow>(), HasSubstr("'many' is not a number"));
  std::string runs = csv::to_text(std::span<const RunRecord>(std::vector<RunRecord>{RunRecord{}}));
  runs.replace(runs.find("failed"), 6, "great!");
  write_text(runs);
  EXPECT_THAT(refusal<RunRecord>(), HasSubstr("column status"));
}

}  // namespace
}  // namespace mpbench::bench
