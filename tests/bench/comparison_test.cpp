#include "mpbench/bench/comparison.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::bench {
namespace {

using stats::AccuracyVerdict;
using stats::SpeedVerdict;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

RunRecord make_run(const std::string& precision, int repeat, double images_per_s) {
  RunRecord run;
  run.run_id = precision + "-r" + std::to_string(repeat);
  run.status = RunStatus::ok;
  run.precision = precision;
  run.model = "cnn";
  run.dataset = "rsna";
  run.image_size = 124;
  run.batch_size = 32;
  run.steps = 100;
  run.channels_last = true;
  run.seed = 0;
  run.repeat = repeat;
  run.device = "cpu";
  run.device_name = "a processor";
  run.threads = 2;
  run.images_per_s = images_per_s;
  run.peak_rss_bytes = 1000;
  run.val_auc = 0.8;
  run.val_accuracy = 0.9;
  run.build_type = "Release";
  return run;
}

std::vector<RunRecord> make_runs(const std::vector<double>& fp32, const std::vector<double>& bf16) {
  std::vector<RunRecord> runs;
  for (std::size_t i = 0; i < fp32.size(); ++i) {
    runs.push_back(make_run("fp32", static_cast<int>(i + 1), fp32[i]));
  }
  for (std::size_t i = 0; i < bf16.size(); ++i) {
    runs.push_back(make_run("bf16", static_cast<int>(i + 1), bf16[i]));
  }
  return runs;
}

std::vector<Comparison> compare_all(const std::vector<RunRecord>& runs,
                                    const ComparisonOptions& options = {},
                                    const PredictionLookup& predictions = {}) {
  return compare_runs({.runs = runs, .blocks = {}}, predictions, options).comparisons;
}

Comparison compare_one(const std::vector<RunRecord>& runs, const ComparisonOptions& options = {},
                       const PredictionLookup& predictions = {}) {
  const auto rows = compare_all(runs, options, predictions);
  EXPECT_EQ(rows.size(), 1U);
  return rows.empty() ? Comparison{} : rows.front();
}

TEST(ComparisonTest, KeepsTheContractsColumns) {
  std::string names;
  Comparison row;
  visit_columns(row, [&](const char* name, auto&) { names += std::string(name) + ","; });
  EXPECT_THAT(names, testing::StartsWith(
                         "baseline_run,arm_run,model,batch_size,image_size,baseline_precision,"
                         "arm_precision,arm_kind,sessions,rounds,speedup,speedup_ci_low,"
                         "speedup_ci_high,process_sd,detectable_effect,speed_verdict,memory_ratio,"
                         "metric,metric_delta,metric_delta_ci_low,"
                         "metric_delta_ci_high,margin,accuracy_verdict,skipped_fraction,note,"));
}

TEST(ComparisonTest, FasterBeyondTheNoise) {
  const Comparison row = compare_one(make_runs({100, 101, 99}, {150, 150, 151}));
  EXPECT_EQ(row.baseline_run, "fp32-r1;fp32-r2;fp32-r3");
  EXPECT_EQ(row.arm_run, "bf16-r1;bf16-r2;bf16-r3");
  EXPECT_EQ(row.pairs, 3);
  EXPECT_NEAR(*row.speedup, 1.503, 0.001);
  EXPECT_LT(*row.speedup_ci_low, *row.speedup);
  EXPECT_GT(*row.speedup_ci_high, *row.speedup);
  EXPECT_EQ(row.sessions, 3);
  EXPECT_EQ(row.rounds, 3);
  EXPECT_EQ(row.process_sd, std::nullopt) << "there is no null arm";
  EXPECT_EQ(row.speed_verdict, SpeedVerdict::faster);
  EXPECT_EQ(row.model, "cnn");
  EXPECT_EQ(row.seed, 0U);
}

TEST(ComparisonTest, SlowerBeyondTheNoise) {
  EXPECT_EQ(compare_one(make_runs({150, 150, 151}, {100, 101, 99})).speed_verdict,
            SpeedVerdict::slower);
}

TEST(ComparisonTest, WhatVariesAlikeIsNoNoise) {
  // Every pair agrees on 2 %, while the baseline's repeats differ by 10 %.
  EXPECT_EQ(compare_one(make_runs({100, 110, 90}, {102, 112.2, 91.8})).speed_verdict,
            SpeedVerdict::faster);
  EXPECT_EQ(compare_one(make_runs({100, 110, 90}, {112.2, 102, 91.8})).speed_verdict,
            SpeedVerdict::unresolved);
}

TEST(ComparisonTest, ArmsThatAreSurelyCloseAreEquivalent) {
  const auto verdict = [](double equivalence) {
    ComparisonOptions options;
    options.speed.equivalence = equivalence;
    return compare_one(make_runs({100, 100.1, 99.9, 100}, {100.1, 100, 100, 99.9}), options)
        .speed_verdict;
  };
  EXPECT_EQ(verdict(0.02), SpeedVerdict::equivalent);
  EXPECT_EQ(verdict(0.0001), SpeedVerdict::unresolved);
}

TEST(ComparisonTest, OneRepeatGivesAFigureButNoVerdict) {
  const Comparison row = compare_one(make_runs({100}, {150}));
  EXPECT_DOUBLE_EQ(*row.speedup, 1.5);
  EXPECT_EQ(row.speedup_ci_low, std::nullopt);
  EXPECT_EQ(row.speed_verdict, std::nullopt);
  EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inconclusive);
  EXPECT_THAT(row.note, HasSubstr("no verdict on speed"));
}

TEST(ComparisonTest, PairsByRepeatAndNotByOrder) {
  auto runs = make_runs({100, 200}, {});
  runs.push_back(make_run("bf16", 2, 300));
  runs.push_back(make_run("bf16", 1, 150));
  const Comparison row = compare_one(runs);
  EXPECT_DOUBLE_EQ(*row.speedup, 1.5);
  EXPECT_NEAR(*row.speedup_ci_high - *row.speedup_ci_low, 0, 1e-9);
}

TEST(ComparisonTest, LeavesOutWhatFailedAndSaysSo) {
  auto runs = make_runs({100, 101, 99}, {150, 150, 151});
  runs[4].status = RunStatus::oom;
  runs[4].error = "out of memory";
  const Comparison row = compare_one(runs);
  EXPECT_EQ(row.pairs, 2);
  EXPECT_EQ(row.arm_run, "bf16-r1;bf16-r3");
  EXPECT_THAT(row.note, HasSubstr("left out: bf16-r2 (oom: out of memory)"));
  EXPECT_THAT(row.note, HasSubstr("left out: fp32-r2 (its partner has no result)"));
}

TEST(ComparisonTest, AnArmWithoutResultsKeepsItsRow) {
  auto runs = make_runs({100, 101}, {});
  RunRecord failed;  // died before it could tell what it ran on
  failed.run_id = "fp16-r1";
  failed.status = RunStatus::failed;
  failed.precision = "fp16";
  failed.model = "cnn";
  failed.batch_size = 32;
  failed.repeat = 1;
  runs.push_back(failed);
  const Comparison row = compare_one(runs);
  EXPECT_EQ(row.arm_precision, "fp16");
  EXPECT_EQ(row.image_size, 124);
  EXPECT_EQ(row.arm_run, "fp16-r1");
  EXPECT_EQ(row.speedup, std::nullopt);
  EXPECT_EQ(row.memory_ratio, std::nullopt);
  EXPECT_EQ(row.metric_delta, std::nullopt);
  EXPECT_EQ(row.skipped_fraction, std::nullopt);
  EXPECT_EQ(row.speed_verdict, std::nullopt);
  EXPECT_EQ(row.accuracy_verdict, std::nullopt);
  EXPECT_THAT(row.note, HasSubstr("fp16-r1 (failed)"));
}

TEST(ComparisonTest, AFailedBaselineLeavesTheArmsInPlace) {
  auto runs = make_runs({100}, {150});
  runs[0].status = RunStatus::oom;
  EXPECT_THAT(compare_one(runs).note, HasSubstr("fp32-r1 (oom)"));
  EXPECT_THAT(compare_one(make_runs({}, {150})).note, HasSubstr("no fp32 run to compare with"));
}

TEST(ComparisonTest, ARunDoneAgainReplacesTheOneThatFailed) {
  auto runs = make_runs({100, 101}, {150, 150});
  RunRecord failed = runs[2];
  failed.status = RunStatus::interrupted;
  runs.insert(runs.begin() + 2, failed);
  const Comparison row = compare_one(runs);
  EXPECT_EQ(row.pairs, 2);
  EXPECT_THAT(row.note, Not(HasSubstr("left out")));
}

TEST(ComparisonTest, ConfigurationsDoNotMix) {
  auto runs = make_runs({100, 101}, {150, 151});
  for (RunRecord run : make_runs({10, 11}, {15, 16})) {
    run.batch_size = 64;
    run.run_id += "-b64";
    runs.push_back(run);
  }
  for (RunRecord run : make_runs({20, 21}, {30, 31})) {
    run.pairing_hash = "other options";
    run.run_id += "-other";
    runs.push_back(run);
  }
  runs[0].pairing_hash = runs[1].pairing_hash = "these options";
  runs[2].pairing_hash = "these options";  // runs[3] is of a version that recorded none
  const auto rows = compare_all(runs);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].batch_size, 32);
  EXPECT_EQ(rows[1].batch_size, 64);
  EXPECT_EQ(rows[2].baseline_run, "fp32-r1-other;fp32-r2-other");
  for (const Comparison& row : rows) EXPECT_EQ(row.pairs, 2);
}

TEST(ComparisonTest, PoolsSeedsAndPairsWithinThem) {
  auto runs = make_runs({100}, {150});
  for (const std::uint64_t seed : {1U, 2U}) {
    for (RunRecord run :
         make_runs({10 * static_cast<double>(seed)}, {15 * static_cast<double>(seed)})) {
      run.seed = seed;
      run.run_id += "-s" + std::to_string(seed);
      runs.push_back(run);
    }
  }
  const Comparison row = compare_one(runs);
  EXPECT_EQ(row.pairs, 3);
  EXPECT_EQ(row.seed, std::nullopt);
  EXPECT_EQ(row.arm_run, "bf16-r1;bf16-r1-s1;bf16-r1-s2");
  EXPECT_NEAR(*row.speedup, 1.5, 1e-12);
}

TEST(ComparisonTest, DeviceMemoryCountsBeforeResidentMemory) {
  auto runs = make_runs({100, 101}, {150, 150});
  runs[2].peak_rss_bytes = 800;
  runs[3].peak_rss_bytes = 600;
  EXPECT_DOUBLE_EQ(*compare_one(runs).memory_ratio, 0.7);
  for (RunRecord& run : runs) run.peak_device_bytes = 100;
  runs[2].peak_device_bytes = runs[3].peak_device_bytes = 55;
  for (RunRecord& run : runs) run.peak_reserved_bytes = 200;
  EXPECT_DOUBLE_EQ(*compare_one(runs).memory_ratio, 0.55);
}

TEST(ComparisonTest, EnergyIsThatOfWhatComputed) {
  std::vector<RunRecord> runs = make_runs({100, 100}, {150, 150});
  for (RunRecord& run : runs) run.steps = 10;
  EXPECT_EQ(compare_one(runs).energy_ratio, std::nullopt);
  for (RunRecord& run : runs) run.energy_j = run.precision == "fp32" ? 100 : 90;
  EXPECT_DOUBLE_EQ(*compare_one(runs).energy_ratio, 0.9);
  for (RunRecord& run : runs) run.device = "cuda:0";
  EXPECT_EQ(compare_one(runs).energy_ratio, std::nullopt) << "the processors' says little of a GPU";
  for (RunRecord& run : runs) run.device_energy_j = run.precision == "fp32" ? 400 : 200;
  EXPECT_DOUBLE_EQ(*compare_one(runs).energy_ratio, 0.5);
  runs[2].steps = 20;
  EXPECT_DOUBLE_EQ(*compare_one(runs).energy_ratio, 0.375) << "of a step: (0.25 + 0.5) / 2";
  runs[3].device_energy_j.reset();
  EXPECT_EQ(compare_one(runs).energy_ratio, std::nullopt);
}

TEST(ComparisonTest, SkippedStepsThatDominateSpoilTheSpeed) {
  auto runs = make_runs({100, 101}, {250, 251});
  runs[2].skipped_steps = 60;
  runs[3].skipped_steps = 50;
  const Comparison row = compare_one(runs);
  EXPECT_DOUBLE_EQ(*row.skipped_fraction, 0.55);
  EXPECT_EQ(row.speed_verdict, std::nullopt);
  EXPECT_THAT(row.note, HasSubstr("skipped steps dominate"));
  runs[2].skipped_steps = runs[3].skipped_steps = 2;
  EXPECT_EQ(compare_one(runs).speed_verdict, SpeedVerdict::faster);
  runs[0].skipped_steps = runs[1].skipped_steps = 70;
  EXPECT_EQ(compare_one(runs).speed_verdict, std::nullopt) << "the baseline hardly trained";
}

// A skipped step is cheaper than a real one: 1.2 times the images/s of which 30 % trained nothing
// are 0.84 times as fast.
TEST(ComparisonTest, ImagesOfSkippedStepsAreNoSpeed) {
  auto runs = make_runs({100, 100.1, 99.9}, {120, 120.1, 119.9});
  for (std::size_t i = 3; i < 6; ++i) runs[i].skipped_steps = 30;
  const Comparison row = compare_one(runs);
  EXPECT_NEAR(*row.speedup, 0.84, 1e-3);
  EXPECT_EQ(row.speed_verdict, SpeedVerdict::slower);
  EXPECT_THAT(row.note, HasSubstr("30 % of the steps were skipped"));
}

TEST(ComparisonTest, PairsWithASpeedDoNotSpeakForThoseWithout) {
  auto runs = make_runs({100, 100.1, 99.9}, {150, 150.1, 149.9});
  for (std::size_t i = 3; i < 6; ++i) runs[i].skipped_steps = 0;
  runs[4].skipped_steps = 100;
  const Comparison row = compare_one(runs);
  EXPECT_NEAR(*row.speedup, 1.5, 1e-3);
  EXPECT_EQ(row.speed_verdict, std::nullopt);
  EXPECT_THAT(row.note, HasSubstr("every step of bf16-r2 was skipped: it has no speed"));
  runs[4].skipped_steps = 0;
  runs[4].images_per_s.reset();
  EXPECT_EQ(compare_one(runs).speed_verdict, std::nullopt);
  EXPECT_THAT(compare_one(runs).note, HasSubstr("bf16-r2 has no images_per_s"));
}

TEST(ComparisonTest, SaysWhatTaintsTheRuns) {
  auto runs = make_runs({100, 101}, {150, 150});
  runs[2].note = runs[3].note = "fp16 is emulated here";
  runs[2].build_type = "Debug+sanitizers";
  runs[3].steps = 99;
  runs[0].note = "tf32 is emulated here; synthetic data";
  runs[2].note = "synthetic data; fp16 is emulated here";
  const Comparison row = compare_one(runs);
  EXPECT_THAT(row.note, HasSubstr("fp16 is emulated here"));
  EXPECT_THAT(row.note, HasSubstr("tf32 is emulated here"));
  const std::size_t first = row.note.find("synthetic data");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(row.note.find("synthetic data", first + 1), std::string::npos) << row.note;
  EXPECT_THAT(row.note, HasSubstr("Debug+sanitizers build"));
  EXPECT_THAT(row.note, HasSubstr("step counts differ"));
}

PredictionLookup always(const std::vector<PredictionRow>& rows) {
  return [rows](const std::string&) { return rows; };
}

/// Runs of three seeds.
std::vector<RunRecord> runs_of_seeds() {
  auto runs = make_runs({100, 101, 99}, {150, 150, 151});
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].seed = i % 3;
    runs[i].val_loss = 0.5 + 0.01 * static_cast<double>(i);
  }
  return runs;
}

/// As many patients with cancer and without, ranked rightly but for a share of the pairs: the first
/// positives score below so many of the negatives. Seeds differ a little.
std::vector<PredictionRow> patients(int positive, int negative, int below = 0, int seed = 0) {
  std::vector<PredictionRow> rows;
  for (int i = 0; i < positive + negative; ++i) {
    const std::string name = std::to_string(i);
    const int label = i < positive ? 1 : 0;
    double score = label == 1 ? 0.9 : 0.1 + 0.5 * (i - positive) / negative;
    if (label == 1 && i == seed && below > 0 && negative > 0) {
      score = 0.1 + 0.5 * (negative - below - 0.5) / negative;
    }
    rows.push_back({.sample_id = "image-" + name,
                    .group = "patient-" + name,
                    .case_id = "",
                    .label = label,
                    .score = score,
                    .predicted = 1});
  }
  return rows;
}

/// Those of each run, and the AUC that they give: the arm's has `below` pairs the wrong way round.
PredictionLookup judged(std::vector<RunRecord>& runs, int positive, int negative, int below) {
  std::map<std::string, std::vector<PredictionRow>> all;
  for (RunRecord& run : runs) {
    const auto seed = static_cast<int>(run.seed.value_or(0));
    const bool is_arm = run.precision == "bf16";
    all[run.run_id] = patients(positive, negative, is_arm ? below + seed : 0, seed);
    std::vector<double> scores;
    std::vector<int> labels;
    for (const PredictionRow& row : all[run.run_id]) {
      scores.push_back(row.score);
      labels.push_back(row.label);
    }
    const double auc = stats::auc(scores, labels);
    if (std::isfinite(auc)) run.val_auc = auc;
  }
  return [all](const std::string& id) { return all.at(id); };
}

TEST(ComparisonTest, JudgesAccuracyAgainstTheMargin) {
  const auto compared = [](int below, double margin) {
    auto runs = runs_of_seeds();
    const PredictionLookup lookup = judged(runs, 40, 40, below);
    ComparisonOptions options;
    options.margin = margin;
    const Comparison row = compare_one(runs, options, lookup);
    EXPECT_EQ(row.metric, ComparedMetric::val_auc);
    // Of 1600 pairs: below, below + 1 and below + 2.
    EXPECT_NEAR(*row.metric_delta, -(below + 1) / 1600.0, 1e-12);
    return row;
  };
  const Comparison close = compared(1, 0.1);
  EXPECT_EQ(close.accuracy_verdict, AccuracyVerdict::equivalent);
  EXPECT_EQ(compared(30, 0.02).accuracy_verdict, AccuracyVerdict::inconclusive);
  EXPECT_EQ(compared(30, 0).accuracy_verdict, AccuracyVerdict::inferior);
}

// What would be equivalent, were there enough to rest it on.
TEST(ComparisonTest, TooFewTrainingsOrPatientsAreInconclusive) {
  const auto inconclusive = [](std::vector<RunRecord> runs, int positive, int negative,
                               const std::string& reason) {
    const PredictionLookup lookup = judged(runs, positive, negative, 1);
    ComparisonOptions options;
    options.margin = 0.5;
    const Comparison row = compare_one(runs, options, lookup);
    EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inconclusive) << reason;
    EXPECT_THAT(row.note, HasSubstr(reason));
  };
  auto runs = runs_of_seeds();
  ComparisonOptions options;
  options.margin = 0.5;
  const PredictionLookup enough = judged(runs, 10, 10, 1);
  EXPECT_EQ(compare_one(runs, options, enough).accuracy_verdict, AccuracyVerdict::equivalent);
  inconclusive(runs, 9, 20, "9 positive patients");
  inconclusive(runs, 20, 9, "9 negative patients");
  inconclusive(runs, 20, 0, "0 negative patients");
  inconclusive(runs, 4, 4, "8 patients");
  EXPECT_THAT(compare_one(runs, options).note, HasSubstr("predictions are missing"));
  EXPECT_EQ(compare_one(runs, options).accuracy_verdict, AccuracyVerdict::inconclusive);
  for (RunRecord& run : runs) run.seed = 0;
  inconclusive(runs, 10, 10, "1 distinct training,");
  runs = runs_of_seeds();
  runs[2].seed = runs[5].seed = 1;
  runs[2].repeat = runs[5].repeat = 3;
  inconclusive(runs, 10, 10, "2 distinct trainings,");
  // Three seeds, and the same result to the last bit: the seed reached nothing.
  runs = runs_of_seeds();
  const auto same = always(patients(10, 10));
  for (RunRecord& run : runs) run.val_loss = 0.5;
  EXPECT_THAT(compare_one(runs, options, same).note, HasSubstr("1 distinct training,"));
}

TEST(ComparisonTest, RunsOfDifferentPatientsAreNotCompared) {
  auto runs = runs_of_seeds();
  const PredictionLookup of_seed = [](const std::string& id) {
    return patients(10, id.ends_with("r2") ? 11 : 10);
  };
  const Comparison row = compare_one(runs, {}, of_seed);
  EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inconclusive);
  EXPECT_THAT(row.note, HasSubstr("validated on different patients"));
}

TEST(ComparisonTest, AMetricIsComparedWithTheSameMetricAlone) {
  const auto enough = always(patients(10, 10));
  auto runs = runs_of_seeds();
  const auto not_judged = [&](const std::string& run) {
    const Comparison row = compare_one(runs, {}, enough);
    EXPECT_EQ(row.metric, std::nullopt);
    EXPECT_EQ(row.metric_delta, std::nullopt);
    EXPECT_EQ(row.accuracy_verdict, std::nullopt);
    EXPECT_THAT(row.note, HasSubstr("accuracy is not judged: " + run + " has no val_auc"));
  };
  runs[1].val_auc.reset();
  not_judged("fp32-r2");
  runs[1].val_auc = std::numeric_limits<double>::quiet_NaN();
  not_judged("fp32-r2");
  for (RunRecord& run : runs) run.val_auc.reset();
  EXPECT_EQ(compare_one(runs, {}, enough).metric, ComparedMetric::val_accuracy);
  for (RunRecord& run : runs) run.val_auc = 0.8;
  for (RunRecord& run : runs) run.val_breast_auc = 0.7;
  EXPECT_EQ(compare_one(runs, {}, enough).metric, ComparedMetric::val_breast_auc);
}

TEST(ComparisonTest, IdenticalRepeatsAreNoEvidenceOfCertainty) {
  auto runs = runs_of_seeds();
  for (std::size_t i = 3; i < 6; ++i) *runs[i].val_auc -= 0.001;
  const Comparison row = compare_one(runs);
  EXPECT_NEAR(*row.metric_delta, -0.001, 1e-12);
  EXPECT_EQ(row.metric_delta_ci_low, std::nullopt);
  EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inconclusive);
}

TEST(ComparisonTest, SurvivorsDoNotSpeakForRunsThatDiverged) {
  auto runs = runs_of_seeds();
  const PredictionLookup enough = judged(runs, 40, 40, 1);
  ComparisonOptions options;
  options.margin = 0.1;
  EXPECT_EQ(compare_one(runs, options, enough).accuracy_verdict, AccuracyVerdict::equivalent);
  runs[5].status = RunStatus::diverged;
  EXPECT_EQ(compare_one(runs, options, enough).accuracy_verdict, AccuracyVerdict::inconclusive);
  runs[3].status = runs[4].status = RunStatus::diverged;
  const Comparison row = compare_one(runs, options, enough);
  EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inferior);
  EXPECT_EQ(row.metric_delta, std::nullopt);
}

/// Two views of each breast, whose logits differ between the arms where the probabilities do not.
std::vector<PredictionRow> saturated_views(bool arm) {
  std::vector<PredictionRow> rows;
  for (int i = 0; i < 24; ++i) {
    for (const char* view : {"cc", "mlo"}) {
      const int label = i % 2;
      // Only the mean of the views ranks the breasts so.
      const double offset = std::string_view(view) == "cc" ? 7 : -7;
      const double logit = 1000 + (label == 1 && !arm ? 10 : 0) + i * 0.01 + offset;
      rows.push_back({.sample_id = fmt::format("{}-{}", i, view),
                      .group = fmt::format("patient-{}", i),
                      .case_id = fmt::format("patient-{}-L", i),
                      .label = label,
                      .score = 1,
                      .predicted = 1,
                      .logit = logit});
    }
  }
  return rows;
}

TEST(ComparisonTest, RanksBreastsByTheirLogits) {
  auto runs = runs_of_seeds();
  for (RunRecord& run : runs) run.val_breast_auc = run.precision == "fp32" ? 1.0 : 78.0 / 144;
  ComparisonOptions options;
  const Comparison row = compare_one(
      runs, options, [](const std::string& id) { return saturated_views(id.starts_with("bf16")); });
  // In the arm a positive scores 0.01 above the negative before it: 12 * 13 / 2 of 144 pairs.
  EXPECT_NEAR(*row.metric_delta, 78.0 / 144 - 1, 1e-12);
  EXPECT_LT(*row.metric_delta_ci_high, 0);
}

/// 200 patients; `wrong` of them are misjudged.
std::vector<PredictionRow> make_predictions(int wrong, bool reversed) {
  std::vector<PredictionRow> rows;
  for (int i = 0; i < 200; ++i) {
    const std::string name = std::to_string(i);
    rows.push_back({.sample_id = "image-" + name,
                    .group = "patient-" + name,
                    .case_id = "",
                    .label = 1,
                    .score = i < wrong ? 0.1 : 0.9,
                    .predicted = i < wrong ? 0 : 1});
  }
  if (reversed) std::reverse(rows.begin(), rows.end());
  return rows;
}

TEST(ComparisonTest, TheIntervalIsThatOfThePatients) {
  auto runs = make_runs({100, 101}, {150, 150});
  for (RunRecord& run : runs) run.val_auc.reset();
  for (RunRecord& run : runs) run.val_accuracy = run.precision == "fp32" ? 0.95 : 0.93;
  ComparisonOptions options;
  std::multiset<std::string> asked;
  const PredictionLookup lookup = [&](const std::string& id) {
    asked.insert(id);
    const bool arm = id.starts_with("bf16");
    return make_predictions(arm ? 14 : 10, arm);  // in another order: they are matched by sample
  };
  const Comparison row = compare_one(runs, options, lookup);
  EXPECT_NEAR(*row.metric_delta, -0.02, 1e-12);
  // 4 of 200 patients differ: sqrt(0.02 * 0.98 / 200) = 0.0099 is a standard error.
  // Two seeds with the same difference have the patients' degrees of freedom, and 2 at most.
  EXPECT_NEAR(*row.metric_delta_ci_low, -0.02 - 4.303 * 0.0099, 0.001);
  EXPECT_NEAR(*row.metric_delta_ci_high, -0.02 + 4.303 * 0.0099, 0.001);
  EXPECT_EQ(row.accuracy_verdict, AccuracyVerdict::inconclusive);
  EXPECT_THAT(row.note, Not(HasSubstr("recomputed")));
  EXPECT_EQ(asked.size(), 4U);

  runs[3].val_accuracy = 0.99;
  EXPECT_THAT(compare_one(runs, options, lookup).note, HasSubstr("recomputed"));
}

TEST(ComparisonTest, PredictionsOfOtherSamplesAreNotCompared) {
  const auto runs = make_runs({100, 101}, {150, 150});
  ComparisonOptions options;
  const auto note = [&](auto&& change) {
    const PredictionLookup lookup = [&](const std::string& id) {
      auto rows = make_predictions(10, false);
      if (id == "bf16-r2") change(rows);
      return rows;
    };
    return compare_one(runs, options, lookup).note;
  };
  const auto what = HasSubstr("fp32-r2 and bf16-r2 are not of the same samples");
  EXPECT_THAT(note([](auto& rows) { rows[3].sample_id = "other"; }), what);
  EXPECT_THAT(note([](auto& rows) { rows[3].label = 0; }), what);
  EXPECT_THAT(note([](auto& rows) { rows.pop_back(); }), what);
  EXPECT_THAT(note([](auto& rows) { rows.clear(); }), HasSubstr("predictions are missing"));
}

TEST(ComparisonTest, RefusesOptionsThatMakeNoSense) {
  const auto runs = make_runs({100}, {150});
  ComparisonOptions options;
  options.margin = -0.01;
  EXPECT_THROW(compare_all(runs, options), UsageError);
  options.margin = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(compare_all(runs, options), UsageError);
  options = {};
  options.confidence = 1;
  EXPECT_THROW(compare_all(runs, options), UsageError);
  EXPECT_THAT(compare_all({}), IsEmpty());
}

TEST(MeanByCaseTest, AveragesABreastsImages) {
  const std::vector<PredictionRow> rows{
      {.sample_id = "a",
       .group = "p1",
       .case_id = "p1_L",
       .label = 1,
       .score = 0.2,
       .predicted = 0},
      {.sample_id = "b",
       .group = "p1",
       .case_id = "p1_R",
       .label = 0,
       .score = 0.3,
       .predicted = 0},
      {.sample_id = "c",
       .group = "p1",
       .case_id = "p1_L",
       .label = 1,
       .score = 0.6,
       .predicted = 1},
      {.sample_id = "d", .group = "p2", .case_id = "", .label = 0, .score = 0.4, .predicted = 1},
      {.sample_id = "e",
       .group = "p1",
       .case_id = "p1_L",
       .label = 1,
       .score = 0.85,
       .predicted = 1}};
  const auto means = mean_by_case(rows);
  ASSERT_EQ(means.size(), 3U);
  EXPECT_EQ(means[0].sample_id, "p1_L");
  EXPECT_NEAR(means[0].score, 0.55, 1e-12);
  EXPECT_EQ(means[0].predicted, 1);
  EXPECT_EQ(means[0].label, 1);
  EXPECT_EQ(means[1].predicted, 0);
  EXPECT_EQ(means[2].sample_id, "d");
  EXPECT_EQ(means[2].predicted, 1);  // not of a unit: as it was
}

TEST(MeanByCaseTest, RefusesABreastOfTwoPatients) {
  const std::vector<PredictionRow> rows{
      {.sample_id = "a", .group = "p1", .case_id = "L", .label = 1, .score = 0.2, .predicted = 0},
      {.sample_id = "b", .group = "p2", .case_id = "L", .label = 1, .score = 0.2, .predicted = 0}};
  EXPECT_THROW(mean_by_case(rows), Error);
}

}  // namespace
}  // namespace mpbench::bench
