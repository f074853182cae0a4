#include "mpbench/core/enum_names.hpp"

#include <gmock/gmock.h>

namespace mpbench {
namespace {

enum class Colour { red, green, blue };

}  // namespace

template <>
inline constexpr auto enum_names<Colour> = std::to_array<EnumName<Colour>>(
    {{Colour::red, "red"}, {Colour::green, "green"}, {Colour::blue, "blue"}});

namespace {

using testing::ElementsAre;

TEST(EnumNamesTest, NamesAndValuesAreOneTable) {
  EXPECT_EQ(enum_name(Colour::green), "green");
  EXPECT_EQ(find_enum<Colour>("blue"), Colour::blue);
  EXPECT_EQ(find_enum<Colour>("Blue"), std::nullopt);
  EXPECT_EQ(find_enum<Colour>(""), std::nullopt);
  EXPECT_EQ(enum_name(static_cast<Colour>(7)), "");
  EXPECT_THAT(enum_name_list<Colour>(), ElementsAre("red", "green", "blue"));
}

TEST(EnumNamesTest, AnUnknownNameListsTheChoices) {
  EXPECT_EQ(parse_enum<Colour>("red", "--colour"), Colour::red);
  EXPECT_THAT([] { parse_enum<Colour>("pink", "--colour"); },
              testing::ThrowsMessage<UsageError>("--colour pink: choose red, green or blue"));
}

TEST(EnumNamesTest, ListsReadAsEnglish) {
  EXPECT_EQ(or_list({}), "");
  EXPECT_EQ(or_list({"a"}), "a");
  EXPECT_EQ(or_list({"a", "b"}), "a or b");
  EXPECT_EQ(or_list({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace mpbench
