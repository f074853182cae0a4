#include "mpbench/data/rsna.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "data/image_sets.hpp"
#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

using ::testing::HasSubstr;

const std::string header = "site_id,patient_id,image_id,laterality,view,age,cancer\n";

class RsnaTest : public ::testing::Test {
 protected:
  void expect_error(const std::string& text, const char* message) const {
    write_file(folder_.path() / "train.csv", text);
    try {
      read_rsna_table(folder_.path());
      ADD_FAILURE() << "accepted: " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.what(), HasSubstr("train.csv"));
    }
  }
  TemporaryFolder folder_;
};

TEST_F(RsnaTest, ReadsTheTable) {
  write_file(folder_.path() / "train.csv", header +
                                               "2,10006,462822612,L,CC,61.0,0\r\n"
                                               "2,10006,1459541791,R,MLO,,1\r\n");
  const auto table = read_rsna_table(folder_.path());
  ASSERT_EQ(table.images.size(), 2U);
  EXPECT_EQ(table.file(table.images[0]), folder_.path() / "train_images/10006/462822612.dcm");
  EXPECT_EQ(table.images[1].view, "MLO");
  const auto images = to_image_table(table, "rsna");
  EXPECT_EQ(images.classes, (std::vector<std::string>{"negative", "cancer"}));
  EXPECT_EQ(images.file(0), table.file(table.images[0]));
  const auto& sample = images.files[1].sample;
  EXPECT_EQ(sample.id, "1459541791");
  EXPECT_EQ(sample.group, "10006");
  EXPECT_EQ(sample.unit, "10006_R");
  EXPECT_EQ(sample.label, 1);
}

TEST_F(RsnaTest, NamesWhatIsWrong) {
  expect_error("site_id,patient_id,image_id,laterality,view\n1,2,3,L,CC\n", "column cancer");
  expect_error(header + "1,2,3,L,CC,50,\n", "row 2, column cancer: '' is neither 0 nor 1");
  expect_error(header + "1,2,3,L,CC,50,0\n1,2,4,L,CC,50,2\n", "row 3, column cancer");
  expect_error(header + "1,2,3,L,CC,50,0.5\n", "row 2, column cancer");
  expect_error(header + "1,2,3,X,CC,50,0\n", "row 2, column laterality");
  expect_error(header + "1,2,3,L,CC,50,0\n1,9,3,R,CC,50,0\n", "'3' comes twice");
  expect_error(header + "1,2,3,L,CC,50\n", "row 2");
  expect_error(header, "rows");
  expect_error("", "empty");
}

TEST_F(RsnaTest, RefusesIdsThatLeadOutOfTheFolder) {
  for (const char* id : {"..", "../../etc/passwd", "a/b", "/etc", "", ".hidden", "a b", "x\\y"}) {
    expect_error(header + fmt::format("1,{},3,L,CC,50,0\n", id), "column patient_id");
    expect_error(header + fmt::format("1,2,{},L,CC,50,0\n", id), "column image_id");
  }
}

TEST_F(RsnaTest, SaysWhatAnRsnaFolderHolds) {
  try {
    read_rsna_table(folder_.path());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(folder_.path().string()));
    EXPECT_THAT(error.what(), HasSubstr("train_images/<patient_id>/<image_id>.dcm"));
  }
}

RsnaTable make_table(int patients) {
  RsnaTable table;
  for (int p = 0; p < patients; ++p) {
    for (int i = 0; i < 4; ++i) {
      table.images.push_back({.patient_id = fmt::format("{}", p),
                              .image_id = fmt::format("{}", p * 10 + i),
                              .laterality = 'L',
                              .view = "CC",
                              .cancer = p % 10 == 0 && i == 0 ? 1 : 0});
    }
  }
  return table;
}

TEST(LimitPatientsTest, TakesWholePatientsOfBothKinds) {
  const auto table = make_table(100);
  const auto limited = limit_patients(table, 202);
  EXPECT_EQ(limited.images.size(), 200U);
  std::map<std::string, int> images;
  int positives = 0;
  for (const auto& image : limited.images) {
    ++images[image.patient_id];
    positives += image.cancer;
  }
  for (const auto& [patient, count] : images) EXPECT_EQ(count, 4) << patient;
  EXPECT_NEAR(positives, 5, 1) << "a tenth of the patients, as in the table";

  positives = 0;
  for (const auto& image : limit_patients(table, 16).images) positives += image.cancer;
  EXPECT_EQ(positives, 2) << "one to train on, one to validate";
}

TEST(LimitPatientsTest, IsAlwaysTheSame) {
  const auto table = make_table(100);
  const auto ids = [&] {
    std::vector<std::string> names;
    for (const auto& image : limit_patients(table, 40).images) names.push_back(image.image_id);
    return names;
  };
  EXPECT_EQ(ids(), ids());
  EXPECT_EQ(limit_patients(table, 0).images.size(), 400U);
  EXPECT_EQ(limit_patients(table, 4000).images.size(), 400U);
  EXPECT_THROW(limit_patients(table, 3), UsageError);
}

}  // namespace
}  // namespace mpbench::data
