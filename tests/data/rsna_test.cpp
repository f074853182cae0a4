#include "../../src/data/formats/rsna.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

using ::testing::HasSubstr;

const std::string header = "site_id,patient_id,image_id,laterality,view,age,cancer\n";

const std::string test_header = "site_id,patient_id,image_id,laterality,view,prediction_id\n";

class RsnaTest : public ::testing::Test {
 protected:
  void expect_test_error(const std::string& text, const char* message) const {
    write_file(folder_.path() / "test.csv", text);
    EXPECT_THAT([&] { read_rsna_test_table(folder_.path()); },
                ThrowsWith<InputError>("test.csv", message))
        << text;
  }
  void expect_error(const std::string& text, const char* message) const {
    write_file(folder_.path() / "train.csv", text);
    EXPECT_THAT([&] { read_rsna_table(folder_.path()); },
                ThrowsWith<InputError>("train.csv", message))
        << text;
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
  EXPECT_EQ(table.images[1].attributes.view, "MLO");
  const auto images = to_manifest(table, "rsna");
  EXPECT_EQ(images.classes, (std::vector<std::string>{"negative", "cancer"}));
  EXPECT_EQ(images.file(0), table.file(table.images[0]));
  const auto& sample = images.files[1].sample;
  EXPECT_EQ(sample.id, "1459541791");
  EXPECT_EQ(sample.group, "10006");
  EXPECT_EQ(sample.case_id, "10006_R");
  EXPECT_EQ(sample.label, 1);
  EXPECT_EQ(sample.attributes.site, "2");
  EXPECT_EQ(sample.attributes.view, "MLO");
  EXPECT_EQ(sample.attributes.age, "");
  EXPECT_EQ(images.files[0].sample.attributes.age, "61");
  EXPECT_EQ(sample.attributes.machine, "") << "there is no such column";
}

TEST_F(RsnaTest, AttributesAreSafeToShow) {
  write_file(folder_.path() / "train.csv",
             header + "\xE9\x1B[1m,2,3,L,CC,50,0\n" + std::string(100, 'x') + ",2,4,L,CC,50,0\n");
  const auto table = read_rsna_table(folder_.path());
  EXPECT_EQ(table.images[0].attributes.site, "\\xE9\\x1B[1m");
  EXPECT_EQ(table.images[1].attributes.site, "");
}

TEST_F(RsnaTest, WholeNumbersAreOneTextWhateverWroteThem) {
  write_file(folder_.path() / "train.csv",
             "site_id;patient_id;image_id;laterality;view;age;cancer\n"
             "2,0;2;3;L;CC;61,0;0\n2;2;4;L;CC;61,5;0\n");
  const auto table = read_rsna_table(folder_.path());
  EXPECT_EQ(table.images[0].attributes.site, "2");
  EXPECT_EQ(table.images[0].attributes.age, "61");
  EXPECT_EQ(table.images[1].attributes.age, "61,5");
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

TEST_F(RsnaTest, TakesWhatTableProgramsMakeOfCells) {
  write_file(folder_.path() / "train.csv",
             "\xEF\xBB\xBF\"patient_id\"; \"image_id\";\"laterality\";\"view\";\"cancer\";\r\n"
             "10006.0;462822612.0; Left ;CC;0.0;\r\n"
             "\r\n"
             "10007.0;1459541791.0;R;MLO;1.0;\r\n"
             "10008.0;5.0;right;MLO;True;\r\n"
             ";;;;;\r\n");
  const auto table = read_rsna_table(folder_.path());
  ASSERT_EQ(table.images.size(), 3U);
  EXPECT_EQ(table.images[0].patient_id, "10006");
  EXPECT_EQ(table.images[1].image_id, "1459541791");
  EXPECT_EQ(table.images[0].laterality, 'L');
  EXPECT_EQ(table.images[2].laterality, 'R');
  EXPECT_EQ(table.images[0].cancer, 0);
  EXPECT_EQ(table.images[1].cancer, 1);
  EXPECT_EQ(table.images[2].cancer, 1);
  EXPECT_TRUE(has_rsna_table(folder_.path()));
  // Only where all are: an id may have a point in it.
  write_file(folder_.path() / "train.csv", header + "1,10.0,a.0,L,CC,50,0\n1,11,b,L,CC,50,1\n");
  EXPECT_EQ(read_rsna_table(folder_.path()).images[0].patient_id, "10.0");
}

TEST_F(RsnaTest, RefusesLabelsThatAreNone) {
  for (const char* label : {"0.5", "2.0", "-1", "nan", "inf", "yes", "0x1", "1.0.0", " "}) {
    expect_error(header + fmt::format("1,2,3,L,CC,50,{}\n", label), "row 2, column cancer");
  }
}

TEST_F(RsnaTest, RefusesIdsThatLeadOutOfTheFolder) {
  for (const char* id : {"..", "../../etc/passwd", "a/b", "/etc", "", ".hidden", "a b", "x\\y"}) {
    expect_error(header + fmt::format("1,{},3,L,CC,50,0\n", id), "column patient_id");
    expect_error(header + fmt::format("1,2,{},L,CC,50,0\n", id), "column image_id");
  }
}

TEST_F(RsnaTest, SaysWhatAnRsnaFolderHolds) {
  EXPECT_THAT(
      [&] { read_rsna_table(folder_.path()); },
      ThrowsWith<InputError>(folder_.path().string(), "train_images/<patient_id>/<image_id>.dcm"));
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
  const auto images = to_manifest(table, "rsna-test");
  EXPECT_EQ(images.file(1), table.file(table.images[1]));
  EXPECT_EQ(images.files[0].sample.case_id, "10008_L");
  EXPECT_EQ(images.files[1].sample.case_id, "right of 10008");
  EXPECT_EQ(images.files[2].sample.case_id, "right of 10008");
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
  const auto images = to_manifest(limited, "rsna-test");
  EXPECT_EQ(images.files[1].sample.case_id, limited.images[1].patient_id + "_R");
}

TEST_F(RsnaTest, TestTableMayHaveLabels) {
  write_file(folder_.path() / "test.csv", header + "1,2,3,L,CC,50,1\n");
  const auto table = read_rsna_test_table(folder_.path());
  EXPECT_TRUE(table.labelled);
  EXPECT_EQ(to_manifest(table, "rsna").files[0].sample.label, 1);
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

class LocateImagesTest : public RsnaTest {
 protected:
  void SetUp() override {
    write_file(folder_.path() / "train.csv",
               header + "1,10,100,L,CC,50,0\n1,10,101,R,CC,50,1\n1,11,110,L,CC,50,0\n");
  }
  void touch(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto path = folder_.path() / name;
      std::filesystem::create_directories(path.parent_path());
      write_file(path, "x");
    }
  }
  RsnaTable locate() const {
    auto table = read_rsna_table(folder_.path());
    locate_images(table);
    return table;
  }
  void expect_paths(RsnaFormat format, const std::vector<std::string>& paths) const {
    const auto table = locate();
    EXPECT_EQ(table.format, format);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      EXPECT_EQ(table.file(table.images[i]), folder_.path() / paths[i]);
    }
  }
  void expect_locate_error(const char* message) const {
    EXPECT_THAT([&] { locate(); }, ThrowsWith<InputError>(message));
  }
};

TEST_F(LocateImagesTest, FindsDicomFilesWhateverTheirExtension) {
  touch({"train_images/10/100.dcm", "train_images/10/101.DCM", "train_images/11/110"});
  expect_paths(RsnaFormat::dicom,
               {"train_images/10/100.dcm", "train_images/10/101.DCM", "train_images/11/110"});
  std::filesystem::remove(folder_.path() / "train_images/10/101.DCM");
  touch({"train_images/10/101.png"});
  expect_paths(RsnaFormat::dicom, {"train_images/10/100.dcm", "train_images/10/101.dcm"});
}

TEST_F(LocateImagesTest, FindsPicturesHoweverTheyAreNamed) {
  const std::vector<std::vector<std::string>> layouts{
      {"train_images/10/100.png", "train_images/10/101.png", "train_images/11/110.png"},
      {"10_100.png", "10_101.png", "11_110.png"},
      {"images/10@100.png", "images/10@101.png", "images/11@110.png"},
      {"png/10/100.jpg", "png/10/101.JPG", "png/11/110.jpeg"},
      {"images_as_pngs_512/train_images_processed_512/10/100.png",
       "images_as_pngs_512/train_images_processed_512/10/101.png"},
      {"10/100.png", "10/101.png", "11/110.png"},
      {"512/10-100.png", "512/10-101.png"},
      {"100.png", "101.png", "110.png"},
      {"png/10/10_100.png", "png/10/10_101.png", "png/11/11_110.png"},
      // A part of the set alone.
      {"png/10_100.png", "png/10_101.png", "png/11_110.png"}};
  for (const auto& layout : layouts) {
    for (const auto& name : layout) touch({name.c_str()});
    touch({"png/._10_100.png", "__MACOSX/10_100.png"});
    expect_paths(RsnaFormat::image, layout);
    for (const auto& name : layout) {
      std::filesystem::remove_all(folder_.path() / *std::filesystem::path(name).begin());
    }
    std::filesystem::remove_all(folder_.path() / "png");
  }
}

TEST_F(LocateImagesTest, KeepsThePathThatAMissingPictureShouldHave) {
  touch({"png/11_110.png"});
  expect_paths(RsnaFormat::image, {"png/10_100.png", "png/10_101.png", "png/11_110.png"});
}

TEST_F(LocateImagesTest, AnIdMayHaveTheJointInIt) {
  write_file(folder_.path() / "train.csv", header + "1,p_1-a,i_2_b,L,CC,50,0\n1,p,1,R,CC,50,1\n");
  touch({"x/p_1-a_i_2_b.png", "x/p_1.png"});
  expect_paths(RsnaFormat::image, {"x/p_1-a_i_2_b.png", "x/p_1.png"});
}

TEST_F(LocateImagesTest, SaysWhatLiesThereInstead) {
  expect_locate_error("there are no other files either");
  touch({"train_images.zip"});
  write_file(folder_.path() / "train_images.zip", "PK\x03\x04");
  expect_locate_error("there is train_images.zip: unpack it");
  touch({"train_images/10/100.tif", "train_images/10/101.tif", "train_images/x.npy"});
  std::filesystem::remove(folder_.path() / "train_images.zip");
  expect_locate_error("there are 2 files *.tif, as train_images/x.npy");
  touch({"train_images/train_images/10/100.dcm"});
  expect_locate_error(
      "images: the DICOM files lie in train_images/train_images/<patient_id>/<image_id>.dcm, not "
      "in "
      "train_images/<patient_id>/<image_id>.dcm: move them there");
}

TEST_F(LocateImagesTest, RefusesToChooseBetweenTwoFoldersOfPictures) {
  touch({"png_512/10_100.png", "png_1024/10_100.png"});
  expect_locate_error("both png_1024/<patient_id>_<image_id>.png and png_512/");
  touch({"train_images/10/100.png"});
  expect_paths(RsnaFormat::image, {"train_images/10/100.png"});
}

RsnaTable make_table(int patients) {
  RsnaTable table;
  for (int p = 0; p < patients; ++p) {
    for (int i = 0; i < 4; ++i) {
      table.images.push_back({.patient_id = fmt::format("{}", p),
                              .image_id = fmt::format("{}", p * 10 + i),
                              .laterality = 'L',
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
