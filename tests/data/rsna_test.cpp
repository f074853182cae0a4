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

const std::string test_header = "site_id,patient_id,image_id,laterality,view,prediction_id\n";

class RsnaTest : public ::testing::Test {
 protected:
  void expect_test_error(const std::string& text, const char* message) const {
    write_file(folder_.path() / "test.csv", text);
    try {
      read_rsna_test_table(folder_.path());
      ADD_FAILURE() << "accepted: " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.what(), HasSubstr("test.csv"));
    }
  }
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

TEST_F(RsnaTest, ReadsTheTestTable) {
  EXPECT_FALSE(is_rsna_test_folder(folder_.path()));
  write_file(folder_.path() / "test.csv", test_header +
                                              "2,10008,736471439,L,MLO,10008_L\n"
                                              "2,10008,1591370361,R,MLO,right of 10008\n"
                                              "2,10008,68070693,R,CC,right of 10008\n");
  EXPECT_FALSE(is_rsna_test_folder(folder_.path())) << "without images it is some other's";
  std::filesystem::create_directory(folder_.path() / "test_images");
  EXPECT_TRUE(is_rsna_test_folder(folder_.path()));
  EXPECT_FALSE(is_rsna_folder(folder_.path()));
  const auto table = read_rsna_test_table(folder_.path());
  EXPECT_FALSE(table.labelled);
  ASSERT_EQ(table.images.size(), 3U);
  EXPECT_EQ(table.file(table.images[0]), folder_.path() / "test_images/10008/736471439.dcm");
  const auto images = to_image_table(table, "rsna-test");
  EXPECT_EQ(images.file(1), table.file(table.images[1]));
  EXPECT_EQ(images.files[0].sample.unit, "10008_L");
  EXPECT_EQ(images.files[1].sample.unit, "right of 10008");
  EXPECT_EQ(images.files[2].sample.unit, "right of 10008");
  EXPECT_EQ(images.files[2].sample.label, 0);
  const auto limited = limit_patients(table, 3);
  EXPECT_EQ(limited.file(limited.images[0]), table.file(table.images[0]));
}

TEST_F(RsnaTest, LimitedTestTableStaysOne) {
  write_file(folder_.path() / "test.csv",
             "patient_id,image_id,laterality,view\n"
             "1,10,L,CC\n1,11,R,CC\n2,20,L,CC\n2,21,R,CC\n");
  const auto limited = limit_patients(read_rsna_test_table(folder_.path()), 2);
  ASSERT_EQ(limited.images.size(), 2U);
  EXPECT_FALSE(limited.labelled);
  EXPECT_THAT(limited.file(limited.images[0]).string(), HasSubstr("test_images/"));
  const auto images = to_image_table(limited, "rsna-test");
  EXPECT_EQ(images.files[1].sample.unit, limited.images[1].patient_id + "_R");
}

TEST_F(RsnaTest, TestTableMayHaveLabels) {
  write_file(folder_.path() / "test.csv", header + "1,2,3,L,CC,50,1\n");
  const auto table = read_rsna_test_table(folder_.path());
  EXPECT_TRUE(table.labelled);
  EXPECT_EQ(to_image_table(table, "rsna").files[0].sample.label, 1);
  expect_test_error(header + "1,2,3,L,CC,50,2\n", "row 2, column cancer");
}

TEST_F(RsnaTest, NamesWhatIsWrongInATestTable) {
  expect_test_error(test_header + "1,2,3,L,CC,\n", "row 2, column prediction_id: it is empty");
  expect_test_error(test_header + "1,2,3,L,CC,a\n1,2,4,R,CC,a\n",
                    "row 3, column prediction_id: 'a' names the breasts 2_L and 2_R");
  expect_test_error(test_header + "1,2,3,L,CC,a\n1,5,4,L,CC,a\n", "2_L and 5_L");
  expect_test_error(test_header + "1,..,3,L,CC,a\n", "column patient_id");
  expect_test_error("patient_id,image_id,view\n1,2,CC\n", "column laterality");
  std::filesystem::remove(folder_.path() / "test.csv");
  EXPECT_THROW(read_rsna_test_table(folder_.path()), InputError);
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
