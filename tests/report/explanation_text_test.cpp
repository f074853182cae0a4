#include "mpbench/report/explanation_text.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::report {
namespace {

using explain::Explanation;
using profile::OperatorKind;
using testing::HasSubstr;
using testing::Not;

explain::KindRow kind_row(const std::string& arm, OperatorKind kind, double ms, double step_ms) {
  return {.arm = arm,
          .precision = arm,
          .kind = kind,
          .ms = ms,
          .share = ms / step_ms,
          .step_ms = step_ms};
}

Explanation explanation() {
  Explanation result;
  result.arms = {{.name = "fp32",
                  .precision = Precision::fp32,
                  .step_ms = 100,
                  .profiled_step_ms = 104,
                  .floor_ms = 40},
                 {.name = "bf16",
                  .precision = Precision::bf16,
                  .step_ms = 60,
                  .profiled_step_ms = 63,
                  .floor_ms = 20}};
  result.arms[0].kinds = {kind_row("fp32", OperatorKind::convolution_forward, 90, 100),
                          kind_row("fp32", OperatorKind::host, 10, 100)};
  result.arms[1].kinds = {kind_row("bf16", OperatorKind::convolution_forward, 45, 60),
                          kind_row("bf16", OperatorKind::cast_copy, 15, 60)};
  result.arms[1].kinds[0].ratio = 2;
  result.arms[1].kept_in_float32 = {{.name = "aten::mean", .ms = 1.5}};
  result.ceilings = {{.arm = "bf16",
                      .matrix_share = 0.9,
                      .matrix_gain = 4,
                      .memory_share = 0,
                      .memory_gain = 2,
                      .speedup = 3.08}};
  result.lost = {{.arm = "bf16",
                  .kind = OperatorKind::cast_copy,
                  .name = "aten::to",
                  .shapes = "[32,64,56,56] [32,64,56,56] [32,64,56,56] [32,64,56,56]",
                  .dtype = "float32",
                  .ms = 15,
                  .lost_ms = 15}};
  result.causes = {{.arm = "bf16",
                    .kind = explain::CauseKind::casts,
                    .figure = 0.25,
                    .threshold = 0.1,
                    .evidence = "casts and copies take 15 of 60 ms a step",
                    .remedy = "a larger batch"}};
  return result;
}

profile::MachineRates rates() {
  return {.matrix = {{Precision::fp32, 50}, {Precision::bf16, 200}}, .copy_gb_per_s = 12};
}

TEST(ExplanationTextTest, HasTheFiguresSideBySideAndFits80Columns) {
  const std::string text = explanation_text(explanation(), rates());
  EXPECT_THAT(text, HasSubstr("convolution-forward"));
  EXPECT_THAT(text, HasSubstr("2.00x"));
  EXPECT_THAT(text, HasSubstr("1.67x"));
  EXPECT_THAT(text, HasSubstr("at most 3.08x"));
  EXPECT_THAT(text, HasSubstr("bf16 computes in float32: aten::mean 1.5 ms"));
  EXPECT_THAT(text, HasSubstr("+4.0 % (fp32), +5.0 %"));
  EXPECT_THAT(text, HasSubstr("bf16, casts: casts and copies take 15 of 60 ms a step"));
  EXPECT_THAT(text, HasSubstr("try: a larger batch"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(explanation_text(explanation(), rates(), 80, true), HasSubstr("\x1b["));
}

TEST(ExplanationTextTest, SaysWhereNoCauseWasFound) {
  Explanation healthy = explanation();
  healthy.causes.clear();
  EXPECT_THAT(explanation_text(healthy, rates()), HasSubstr("No cause"));
  EXPECT_EQ(explanation_text({}, rates()), "");
}

TEST(ExplanationTextTest, IsJsonAsWell) {
  const auto json = nlohmann::json::parse(explanation_json(explanation(), rates()));
  EXPECT_EQ(json["rates"]["gflop_per_s"]["bf16"], 200);
  EXPECT_EQ(json["arms"][1]["kinds"][0]["ratio"], 2);
  EXPECT_FALSE(json["arms"][0]["kinds"][0].contains("ratio"));
  EXPECT_EQ(json["causes"][0]["kind"], "casts");
  EXPECT_EQ(json["lost"][0]["lost_ms"], 15);
}

}  // namespace
}  // namespace mpbench::report
