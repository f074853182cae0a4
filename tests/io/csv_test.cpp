#include "mpbench/io/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mpbench/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::csv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Table read_text(const std::string& text) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "t.csv", std::ios::binary) << text;
  return read(folder.path() / "t.csv");
}

TEST(CsvTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(line({"a", "b,c", "d\"e", "f\ng", ""}), "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
}

TEST(CsvTest, ReadsBackWhatItWrote) {
  const std::vector<std::string> awkward{"x,y", "say \"so\"", "two\nlines", " spaces ", ""};
  const Table table = read_text(line({"a", "b", "c", "d", "e"}) + line(awkward));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0], awkward);
}

TEST(CsvTest, KeepsARowOfOneEmptyCell) {
  const Table table = read_text(line({"a"}) + line({""}) + line({"1"}));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre(""), ElementsAre("1")));
}

TEST(CsvTest, TakesByteOrderMarkAndCarriageReturns) {
  const Table table = read_text("\xEF\xBB\xBFid,cancer\r\n1,0\r\n2,1\r\n");
  EXPECT_THAT(table.header, ElementsAre("id", "cancer"));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1", "0"), ElementsAre("2", "1")));
  EXPECT_EQ(table.column("cancer"), 1U);
}

TEST(CsvTest, NamesTheMissingColumnAndTheBadRow) {
  EXPECT_THAT([] { (void)read_text("a,b\n1,2\n").column("cancer"); },
              ThrowsMessage<InputError>(HasSubstr("column cancer")));
  EXPECT_THAT([] { (void)read_text("a,b\n1,2\n3\n"); },
              ThrowsMessage<InputError>(HasSubstr("row 3: it has 1 cells")));
  EXPECT_THAT([] { (void)read_text("a,b\n1,\"2"); }, ThrowsMessage<InputError>(HasSubstr("row 2")));
  EXPECT_THAT([] { (void)read_text(""); }, ThrowsMessage<InputError>(HasSubstr("empty")));
}

TEST(CsvTest, TakesAMarkBeforeAQuotedHeader) {
  const Table table = read_text("\xEF\xBB\xBF\"id\",\"can,cer\"\n\"1\",\"0\"\n");
  EXPECT_THAT(table.header, ElementsAre("id", "can,cer"));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1", "0")));
}

TEST(CsvTest, TakesEveryLineEnding) {
  for (const char* text :
       {"a,b\r\n1,2\r\n\r\n3,4", "a,b\r1,2\r\r3,4\r", "\n\na,b\n1,2\n\n3,4\n\n"}) {
    const Table table = read_text(text);
    EXPECT_THAT(table.header, ElementsAre("a", "b")) << text;
    EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1", "2"), ElementsAre("3", "4"))) << text;
  }
}

TEST(CsvTest, TakesOtherSeparators) {
  for (const char* text :
       {"a;b c\n1,5;x\n", "a\tb c\n1,5\tx\n", "a|b c\n1,5|x\n", "sep=;\r\na;b c\r\n1,5;x\r\n",
        "\xEF\xBB\xBF\"a\";\"b c\"\n\"1,5\";\"x\"\n"}) {
    const Table table = read_text(text);
    EXPECT_THAT(table.header, ElementsAre("a", "b c")) << text;
    EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1,5", "x"))) << text;
  }
  EXPECT_THAT(read_text("a;b,c\n1;2,3\n").header, ElementsAre("a;b", "c"));
  EXPECT_THAT(read_text("\"a;b\"\n1\n").header, ElementsAre("a;b"));
}

TEST(CsvTest, LeavesOutSpacesThatMeanNothing) {
  EXPECT_THAT(read_text(" a , b\t\n1,2\n").header, ElementsAre("a", "b"));
  const Table table = read_text("\"a\", \"b\" \n\"1\", \"2, 3\"\n");
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1", "2, 3")));
}

TEST(CsvTest, LeavesOutEmptyCellsAndRowsAtTheEnd) {
  const Table table = read_text("a,b\n1,2,,\n,,\n  \n3,4, \n,\n");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1", "2"), ElementsAre("3", "4")));
  EXPECT_THAT(table.numbers, ElementsAre(2U, 5U));
  EXPECT_THAT(read_text("a,b,\n1,2,\n3,4\n").rows,
              ElementsAre(ElementsAre("1", "2", ""), ElementsAre("3", "4", "")));
  EXPECT_THAT([] { (void)read_text("a,b\n,,\n1,2,x\n"); },
              ThrowsMessage<InputError>(HasSubstr("row 3: it has 3 cells where the header has 2")));
}

TEST(CsvTest, SaysWhichColumnsThereAre) {
  EXPECT_THAT([] { (void)read_text("a,b\n1,2\n").column("cancer"); },
              ThrowsMessage<InputError>(HasSubstr("which has: a, b")));
  EXPECT_THAT([] { (void)read_text("a,b,a\n1,2,3\n").column("a"); },
              ThrowsMessage<InputError>(HasSubstr("two of that name")));
}

TEST(CsvTest, SaysWhatIsNoTable) {
  const std::string utf16(
      "\xFF\xFE"
      "a\0,\0b\0",
      8);
  EXPECT_THAT([&] { (void)read_text(utf16); }, ThrowsMessage<InputError>(HasSubstr("UTF-16")));
  EXPECT_THAT([] { (void)read_text("PK\x03\x04 and so on"); },
              ThrowsMessage<InputError>(HasSubstr("Excel")));
  EXPECT_THAT([] { (void)read_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"); },
              ThrowsMessage<InputError>(HasSubstr("git lfs pull")));
  EXPECT_THAT([] { (void)read_text(std::string("a,b\n1,\0\n", 8)); },
              ThrowsMessage<InputError>(HasSubstr("no text")));
}

TEST(CsvTest, ReadsTheHeaderAlone) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "t.csv";
  EXPECT_TRUE(read_header(path).empty());
  std::ofstream(path) << "\xEF\xBB\xBF\"a\"; b \n\"broken";
  EXPECT_THAT(read_header(path), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace mpbench::csv
