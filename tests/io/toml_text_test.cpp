#include "mpbench/io/toml_text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace mpbench {
namespace {

TEST(TomlTextTest, DoublesAreShortAndStayDoubles) {
  EXPECT_EQ(toml_text(0.95), "0.95");
  EXPECT_EQ(toml_text(3e-4), "0.0003");
  EXPECT_EQ(toml_text(65536.0), "65536.0");
  EXPECT_EQ(toml_text(1e30), "1e+30");
  EXPECT_EQ(toml_text(std::numeric_limits<double>::infinity()), "inf");
}

TEST(TomlTextTest, QuotesStringsAndPaths) {
  EXPECT_EQ(toml_text("a \"b\" \\ \n"), R"("a \"b\" \\ \n")");
  EXPECT_EQ(toml_line("data", std::filesystem::path("/d/é")), "data = \"/d/é\"\n");
}

TEST(TomlTextTest, ListsAndTheRest) {
  EXPECT_EQ(toml_text(std::vector<std::string>{"fp32", "bf16"}), R"(["fp32", "bf16"])");
  EXPECT_EQ(toml_text(std::vector<int>{}), "[]");
  EXPECT_EQ(toml_line("on", true), "on = true\n");
  EXPECT_EQ(toml_line("precision", Precision::fp16), "precision = \"fp16\"\n");
}

TEST(TomlTextTest, LinesReadBackAsTheyStandThere) {
  const std::string text = toml_line("lr", 0.5) + "\n# a = comment\nno value\n" +
                           toml_line("name", "a = b") + "last = 1";
  const std::map<std::string, std::string> expected{
      {"lr", "0.5"}, {"# a", "comment"}, {"name", "\"a = b\""}, {"last", "1"}};
  EXPECT_EQ(toml_lines(text), expected);
  EXPECT_TRUE(toml_lines("").empty());
}

}  // namespace
}  // namespace mpbench
