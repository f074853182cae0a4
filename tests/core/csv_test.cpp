#include "mpbench/core/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mpbench/core/error.hpp"
#include "temporary_folder.hpp"

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

}  // namespace
}  // namespace mpbench::csv
