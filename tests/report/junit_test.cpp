#include "mpbench/report/junit.hpp"

#include <gmock/gmock.h>

#include <vector>

#include "mpbench/report/markdown.hpp"

namespace mpbench::report {
namespace {

using bench::RequirementResult;
using testing::HasSubstr;
using testing::Not;

RequirementResult result_of(const std::string& configuration, const std::string& condition,
                            bool holds) {
  return {.configuration = configuration,
          .arm = "bf16",
          .compared_with = "fp32",
          .condition = condition,
          .result = {.holds = holds, .found = "speedup is 1.034 [1.010, 1.058]"}};
}

TEST(JUnitTest, ASuiteAConfigurationAndACaseACondition) {
  const std::vector results{result_of("c", "not slower", false), result_of("d", "faster", true),
                            result_of("c", "status ok", true)};
  EXPECT_EQ(junit_xml(results),
            R"(<?xml version="1.0"?>
<testsuites name="mpbench" tests="3" failures="1" errors="0" time="0">
  <testsuite name="c" tests="2" failures="1" errors="0" time="0">
    <testcase classname="c.bf16" name="bf16: not slower" time="0">
      <failure message="speedup is 1.034 [1.010, 1.058]" type="requirement">bf16: not slower: speedup is 1.034 [1.010, 1.058] (c, beside fp32)</failure>
    </testcase>
    <testcase classname="c.bf16" name="bf16: status ok" time="0">
      <system-out>bf16: status ok: speedup is 1.034 [1.010, 1.058] (c, beside fp32)</system-out>
    </testcase>
  </testsuite>
  <testsuite name="d" tests="1" failures="0" errors="0" time="0">
    <testcase classname="d.bf16" name="bf16: faster" time="0">
      <system-out>bf16: faster: speedup is 1.034 [1.010, 1.058] (d, beside fp32)</system-out>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(JUnitTest, WhatWasNotMeasuredIsACaseToo) {
  const RequirementResult missing{.configuration = "",
                                  .arm = "",
                                  .compared_with = "",
                                  .condition = "faster",
                                  .result = {.holds = false, .found = "it was not measured"}};
  const std::string text = junit_xml(std::vector{missing});
  EXPECT_THAT(text, HasSubstr("<testsuite name=\"not measured\" tests=\"1\" failures=\"1\""));
  EXPECT_THAT(text, HasSubstr("name=\"faster\""));
  EXPECT_THAT(text, HasSubstr("<failure message=\"it was not measured\""));
}

TEST(JUnitTest, NothingIsAnEmptyList) {
  EXPECT_THAT(junit_xml({}), HasSubstr("<testsuites name=\"mpbench\" tests=\"0\" failures=\"0\""));
}

TEST(JUnitTest, HoldsNothingThatXmlCannot) {
  RequirementResult hostile = result_of("c", "status ok", false);
  hostile.result.found = "a < \"b\" & \x1b[31m\n\xff \xEF\xBF\xBE";
  const std::string text = junit_xml(std::vector{hostile});
  EXPECT_THAT(text, HasSubstr("a &lt; &quot;b&quot; &amp; \\x1B[31m\\x0A\\xFF ?"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(RequirementsMarkdownTest, IsATableOfWhatIsMet) {
  const std::vector results{result_of("c", "speedup >= 1.2", false),
                            result_of("c", "status ok", true)};
  const std::string text = requirements_markdown(results);
  EXPECT_THAT(text, testing::StartsWith("## Requirements: 1 of 2 met\n\n| arm |"));
  EXPECT_THAT(text, HasSubstr("| bf16 | speedup >= 1.2 | **not met** | speedup is 1.034 [1.010, "
                              "1.058] | fp32 | c |\n"));
  EXPECT_THAT(text, HasSubstr("| bf16 | status ok | met |"));
}

}  // namespace
}  // namespace mpbench::report
