#include "mpbench/io/file_type.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace mpbench {
namespace {

using namespace std::string_literals;

FileType type_of(const std::string& bytes) {
  return file_type(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

// The signatures are those of file(1)'s magic database.
TEST(FileTypeTest, IsToldByTheFirstBytes) {
  EXPECT_EQ(type_of("PK\x03\x04..."s), FileType::zip);
  EXPECT_EQ(type_of("\x1F\x8B\x08"s), FileType::gzip);
  EXPECT_EQ(type_of(std::string(257, 'a') + "ustar\0"s), FileType::tar);
  EXPECT_EQ(type_of(std::string(128, '\0') + "DICM"s), FileType::dicom);
  EXPECT_EQ(type_of("\x89PNG\r\n\x1A\n"s), FileType::png);
  EXPECT_EQ(type_of("\xFF\xD8\xFF\xE0"s), FileType::jpeg);
  EXPECT_EQ(type_of("II*\0"s), FileType::tiff);
  EXPECT_EQ(type_of("RIFF\1\2\3\4WEBPVP8 "s), FileType::webp);
  EXPECT_EQ(type_of("\x93NUMPY\1\0"s), FileType::numpy);
  EXPECT_EQ(type_of("version https://git-lfs.github.com/spec/v1\n"s), FileType::git_lfs_pointer);
  EXPECT_EQ(type_of("\0\0\x08\x03"s), FileType::idx);
  EXPECT_EQ(type_of("patient_id,image_id\n"s), FileType::unknown);
  EXPECT_EQ(type_of(""s), FileType::unknown);
  EXPECT_TRUE(is_archive(FileType::zip));
  EXPECT_FALSE(is_archive(FileType::png));
  EXPECT_EQ(describe(FileType::tiff), "a TIFF image");
}

TEST(FileTypeTest, OpensNothingButFiles) {
  const TemporaryFolder folder;
  EXPECT_EQ(file_type(folder.path()), FileType::unknown);
  EXPECT_EQ(file_type(folder.path() / "none"), FileType::unknown);
  std::ofstream(folder.path() / "x") << "GIF89a";
  EXPECT_EQ(file_type(folder.path() / "x"), FileType::gif);
}

TEST(FileTypeTest, KnowsWhatSystemsLeaveBehind) {
  for (const char* name : {"__MACOSX", ".DS_Store", "._0.png", "Thumbs.db", "desktop.ini",
                           ".ipynb_checkpoints", "a/b/.git"}) {
    EXPECT_TRUE(is_clutter(name)) << name;
  }
  for (const char* name : {"cat", "0.png", "_0.png", "macosx", "train.csv"}) {
    EXPECT_FALSE(is_clutter(name)) << name;
  }
}

}  // namespace
}  // namespace mpbench
