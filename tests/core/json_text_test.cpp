#include "mpbench/core/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mpbench {
namespace {

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

TEST(JsonTextTest, ParsesWhatIsJson) {
  EXPECT_EQ(parse_json(R"({"a": [1, "]}[{\"[["]})").at("a").at(1), "]}[{\"[[");
  EXPECT_TRUE(parse_json("[1,").is_discarded());
  EXPECT_TRUE(parse_json("").is_discarded());
  EXPECT_TRUE(parse_json("\"\xff\"").is_discarded());
}

TEST(JsonTextTest, RefusesWhatIsNestedTooDeep) {
  EXPECT_TRUE(parse_json(nested(deepest_json)).is_array());
  EXPECT_TRUE(parse_json(nested(deepest_json + 1)).is_discarded());
  EXPECT_TRUE(parse_json(std::string(1'000'000, '[')).is_discarded());
  EXPECT_TRUE(parse_json(R"({"a":)" + nested(1'000'000) + "}").is_discarded());
}

TEST(JsonTextTest, CountsWhatIsOpenAndNotAllBrackets) {
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += "[{}],";
  EXPECT_EQ(parse_json(many + "[]]").size(), 1001U);
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\"").is_string());
}

}  // namespace
}  // namespace mpbench
