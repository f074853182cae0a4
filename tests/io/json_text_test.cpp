#include "mpbench/io/json_text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

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

TEST(JsonTextTest, TakesWholeNumbersThatFit) {
  EXPECT_EQ(whole_number<int>(parse_json("-2147483648")), -2147483648);
  EXPECT_EQ(whole_number<std::uint64_t>(parse_json("18446744073709551615")), UINT64_MAX);
  EXPECT_EQ(whole_numbers<int>(parse_json("[0, -1]")), (std::vector{0, -1}));
  for (const char* text : {"2147483648", "1.0", "1e9", "true", "\"1\"", "null", "[1]"}) {
    EXPECT_THROW((void)whole_number<int>(parse_json(text)), Error) << text;
  }
  EXPECT_THROW((void)whole_number<std::size_t>(parse_json("-1")), Error);
  EXPECT_THROW((void)whole_number<std::int64_t>(parse_json("9223372036854775808")), Error);
  EXPECT_THROW((void)whole_numbers<int>(parse_json("{\"a\": 1}")), Error);
}

}  // namespace
}  // namespace mpbench
