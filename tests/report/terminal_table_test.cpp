#include "mpbench/report/terminal_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/report/markdown.hpp"

namespace mpbench::report {
namespace {

using bench::Comparison;
using bench::RunRecord;
using testing::HasSubstr;
using testing::Not;

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    widest = std::max(widest, display_width(line));
  }
  return widest;
}

TEST(TerminalTableTest, AlignsNamesLeftAndFiguresRight) {
  TerminalTable table({"name", "n"});
  table.add_row({{"a"}, {"1"}});
  table.add_row({{"longer"}, {"1000"}});
  table.add_row({{"alone"}});
  EXPECT_EQ(table.render(80, false),
            "name       n\n"
            "a          1\n"
            "longer  1000\n"
            "alone\n");
  EXPECT_THROW(table.add_row({{"a"}, {"b"}, {"c"}}), Error);
}

TEST(TerminalTableTest, CountsLettersAndNotBytes) {
  TerminalTable table({"a", "b"});
  table.add_row({{"größer"}, {"×2"}});
  table.add_row({{"x"}, {"y"}});
  EXPECT_EQ(table.render(80, false), "a        b\ngrößer  ×2\nx        y\n");
}

TEST(TerminalTableTest, CutsTheWidestColumnToFit) {
  TerminalTable table({"name", "value"});
  table.add_row({{"a name that goes on and on"}, {"12345"}});
  EXPECT_EQ(table.render(20, false), "name           value\na name tha...  12345\n");
}

TEST(TerminalTableTest, DropsWhatCanBeSparedOnlyWhereItMust) {
  const auto table = [](std::size_t width) {
    TerminalTable all({"arm", "step ms", "speed-up", "memory"});
    all.add_row({{"baseline"}, {"10.0"}, {"1.000 [0.990, 1.010]"}, {"1 MiB"}});
    all.add_row({{"alone"}});
    all.drop_columns({"step ms", "memory", "there is none"}, width);
    return all.render(width, false);
  };
  EXPECT_EQ(table(80),
            "arm       step ms              speed-up  memory\n"
            "baseline     10.0  1.000 [0.990, 1.010]   1 MiB\n"
            "alone\n");
  EXPECT_EQ(table(40),
            "arm                   speed-up  memory\n"
            "baseline  1.000 [0.990, 1.010]   1 MiB\n"
            "alone\n");
  EXPECT_EQ(table(30),
            "arm                   speed-up\n"
            "baseline  1.000 [0.990, 1.010]\n"
            "alone\n");
}

TEST(TerminalTableTest, ColoursOnlyWhenAsked) {
  TerminalTable table({"a", "b"});
  table.add_row({{"x", Colour::good}, {"y", Colour::bad}});
  EXPECT_THAT(table.render(80, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(table.render(80, true), HasSubstr("\x1b[32mx\x1b[0m"));
  EXPECT_THAT(table.render(80, true), HasSubstr("\x1b[31my\x1b[0m"));
}

RunRecord make_run(const std::string& precision, int repeat, double images_per_s) {
  RunRecord run;
  run.run_id = precision + "-r" + std::to_string(repeat);
  run.status = bench::RunStatus::ok;
  run.precision = precision;
  run.images_per_s = images_per_s;
  run.step_ms_median = 32000 / images_per_s;
  run.peak_rss_bytes = std::int64_t{3} << 29;
  run.val_auc = 0.8123;
  run.skipped_steps = 1;
  return run;
}

struct Summary {
  std::vector<RunRecord> runs{make_run("fp32", 1, 100), make_run("fp32", 2, 104),
                              make_run("bf16", 1, 150), make_run("bf16", 2, 156)};
  std::vector<Comparison> comparisons;

  Summary() {
    Comparison row;
    row.baseline_run = "fp32-r1;fp32-r2";
    row.arm_run = "bf16-r1;bf16-r2";
    row.model = "efficientnet-b0";
    row.dataset = "rsna";
    row.batch_size = 32;
    row.image_size = 124;
    row.channels_last = true;
    row.seed = 0;
    row.device_name =
        "A Processor With A Very Long Name, Such As Vendors Like To Give Them All, @ 3 GHz";
    row.baseline_precision = "fp32";
    row.arm_precision = "bf16";
    row.speedup = 1.5;
    row.speedup_ci_low = 1.4123;
    row.speedup_ci_high = 1.6123;
    row.arm_kind = bench::ArmKind::arm;
    row.configuration = "efficientnet-b0-b32-i124-cl-s0";
    row.sessions = 6;
    row.rounds = 48;
    row.process_sd = 0.02;
    row.detectable_effect = 0.0284;
    row.speed_verdict = stats::SpeedVerdict::faster;
    row.memory_ratio = 0.62;
    row.metric = bench::ComparedMetric::val_auc;
    row.metric_delta = -0.0012;
    row.metric_delta_ci_low = -0.0234;
    row.metric_delta_ci_high = 0.0212;
    row.margin = 0.01;
    row.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
    row.confidence = 0.95;
    row.note = "synthetic data";
    comparisons.push_back(row);
    row.arm_precision = "fp16";
    row.arm_run = "fp16-r1";
    row.speedup = row.speedup_ci_low = row.speedup_ci_high = row.memory_ratio = std::nullopt;
    row.metric_delta = row.metric_delta_ci_low = row.metric_delta_ci_high = std::nullopt;
    row.speed_verdict.reset();
    row.detectable_effect.reset();
    row.accuracy_verdict.reset();
    row.note = "left out: fp16-r1 (oom: it needs far more memory than this machine has to give it)";
    comparisons.push_back(row);
  }
};

TEST(SummaryTableTest, ShowsWhatWasFound) {
  const Summary summary;
  const std::string text = summary_table(summary.comparisons, summary.runs, 80, false);
  EXPECT_THAT(text, HasSubstr("efficientnet-b0 on rsna, batch 32, 124 px, channels-last, seed 0"));
  EXPECT_THAT(text, HasSubstr("102.0"));  // the baseline's median images/s
  EXPECT_THAT(text, HasSubstr("153.0"));
  EXPECT_THAT(text, HasSubstr("1.500 [1.412, 1.612]"));
  EXPECT_THAT(text, HasSubstr("0.62x"));
  EXPECT_THAT(text, HasSubstr("1.50 GiB"));
  EXPECT_THAT(text, HasSubstr("faster"));
  EXPECT_THAT(text, HasSubstr("0.8123"));
  EXPECT_THAT(text, HasSubstr("-0.0012 [-0.0234, +0.0212]"));
  EXPECT_THAT(text, HasSubstr("inconclusive"));
  EXPECT_THAT(text, HasSubstr("6 sessions of fresh processes, 48 rounds"));
  EXPECT_THAT(text, HasSubstr("a standard deviation of 2.8 %"));
  EXPECT_THAT(text, HasSubstr("bf16: a difference of 2.8 % would be found in 80 %"));
  EXPECT_THAT(text, HasSubstr("bf16: synthetic data"));
  EXPECT_THAT(text, HasSubstr("fp16: left out: fp16-r1 (oom"));
}

TEST(SummaryTableTest, SaysOnceWhatHoldsForAllArms) {
  Summary summary;
  summary.comparisons[0].note = "synthetic data; its own";
  summary.comparisons[1].note = "left out: fp16-r1; synthetic data";
  const std::string text = summary_table(summary.comparisons, summary.runs, 80, false);
  EXPECT_THAT(text, HasSubstr("all arms: synthetic data\n"));
  EXPECT_THAT(text, HasSubstr("bf16: its own\n"));
  EXPECT_THAT(text, HasSubstr("fp16: left out: fp16-r1\n"));
}

TEST(SummaryTableTest, ALadderKeepsItsNamesAndIntervals) {
  Summary summary;
  Comparison& rung = summary.comparisons[0];
  rung.compared_with = "fp32-contiguous-b32";
  rung.arm = "channels-last-and-a-name";
  Comparison next = rung;
  next.compared_with = rung.arm;
  next.arm = "bf16";
  summary.comparisons = {rung, next};
  const std::string text = summary_table(summary.comparisons, summary.runs, 80, false);
  EXPECT_LE(widest_line(text), 80U) << text;
  EXPECT_THAT(text, HasSubstr("+ channels-last-and-a-name"));
  EXPECT_THAT(text, HasSubstr("1.500 [1.412, 1.612]"));
}

TEST(SummaryTableTest, HasNoMarginOfAccuracyWhereNoneIsJudged) {
  Summary summary;
  for (Comparison& row : summary.comparisons) {
    row.metric.reset();
    row.metric_delta.reset();
    row.accuracy_verdict.reset();
  }
  EXPECT_THAT(summary_table(summary.comparisons, summary.runs, 80, false),
              Not(HasSubstr("margin")));
}

TEST(SummaryTableTest, FitsATerminal) {
  Summary summary;
  for (Comparison& row : summary.comparisons) {
    if (row.speed_verdict) row.speed_verdict = stats::SpeedVerdict::equivalent;
  }
  const std::string text = summary_table(summary.comparisons, summary.runs, 80, false);
  EXPECT_LE(widest_line(text), 80U) << text;
  EXPECT_THAT(text, HasSubstr("equivalent"));  // whole, not cut
  EXPECT_THAT(text, HasSubstr("1.500 [1.412, 1.612]"));
  EXPECT_THAT(summary_table(summary.comparisons, summary.runs, 80, true), HasSubstr("\x1b["));
  EXPECT_EQ(summary_table({}, {}, 80, false), "");
}

TEST(SummaryTableTest, OneBlockAConfiguration) {
  Summary summary;
  Comparison other = summary.comparisons[0];
  other.batch_size = 64;
  other.configuration = "efficientnet-b0-b64-i124-cl-s0";
  summary.comparisons.push_back(other);
  const std::string text = summary_table(summary.comparisons, summary.runs, 80, false);
  EXPECT_THAT(text, HasSubstr("batch 32"));
  EXPECT_THAT(text, HasSubstr("batch 64"));
}

TEST(MarkdownTest, EscapesWhatWouldBreakTheTable) {
  EXPECT_EQ(markdown_table({"a", "b"}, {{"x|y", "1\n2"}, {"alone"}}),
            "| a | b |\n| --- | ---: |\n| x\\|y | 1<br>2 |\n| alone |  |\n");
}

TEST(MarkdownTest, SummaryHasTheSameFigures) {
  const Summary summary;
  const std::string text = summary_markdown(summary.comparisons, summary.runs);
  EXPECT_THAT(text, HasSubstr("## efficientnet-b0 on rsna"));
  EXPECT_THAT(text, HasSubstr("| bf16 | 153.0 | 209.2 | 1.500 [1.412, 1.612] | 0.62x | faster |"));
  EXPECT_THAT(text, HasSubstr("- bf16: synthetic data"));
}

}  // namespace
}  // namespace mpbench::report
