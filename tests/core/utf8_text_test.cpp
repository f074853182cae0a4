#include "mpbench/core/utf8_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mpbench {
namespace {

TEST(Utf8TextTest, KeepsTextAsItIs) {
  for (const std::string text : {"", "plain \\ text\n", "d\xC3\xA9j\xC3\xA0", "\xF0\x9F\xA9\xBB"}) {
    EXPECT_EQ(utf8_text(text), text);
  }
}

TEST(Utf8TextTest, SpellsOutWhatIsNoUtf8) {
  EXPECT_EQ(utf8_text("a\xFF\\b"), "a\\xFF\\x5Cb");
  for (const std::string bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(utf8_text(bad).size(), 4 * bad.size()) << "overlong, surrogate, beyond, cut off";
  }
}

TEST(PrintableTextTest, SpellsOutControls) {
  EXPECT_EQ(printable_text("M\x1b[2J\n"), "M\\x1B[2J\\x0A");
  EXPECT_EQ(printable_text(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable_text("\x7F\xC2\x9B\xFF"), "\\x7F\\xC2\\x9B\\xFF");
  EXPECT_EQ(printable_text("\xC2"), "\\xC2");
  EXPECT_EQ(printable_text("\xC3\xA9 \\ \xE2\x82\xAC"), "\xC3\xA9 \\ \xE2\x82\xAC");
}

TEST(WrapTest, BreaksBetweenWords) {
  EXPECT_EQ(wrap("one two three four", 9, "  "), "one two\n  three\n  four\n");
  EXPECT_EQ(wrap("a_word_longer_than_the_line x", 8, ""), "a_word_longer_than_the_line\nx\n");
  EXPECT_EQ(wrap("", 8, ""), "");
}

TEST(AsciiLowerTest, ChangesTheLettersOfAsciiAlone) {
  EXPECT_EQ(ascii_lower("Train-AZ.PNG[@`{"), "train-az.png[@`{");
  EXPECT_EQ(ascii_lower("\xC3\x84\xFF\xC4"), "\xC3\x84\xFF\xC4");
}

TEST(TrimmedTest, LeavesOutBlanksAroundAText) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

}  // namespace
}  // namespace mpbench
