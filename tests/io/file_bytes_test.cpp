#include "mpbench/io/file_bytes.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <string>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench {
namespace {

class FileBytesTest : public ::testing::Test {
 protected:
  std::string problem_of(const std::filesystem::path& path) const {
    const auto error = thrown_by<Error>([&] { const FileBytes file(path); });
    return error ? error->what() : "none";
  }
  TemporaryFolder folder_;
};

TEST_F(FileBytesTest, ReadsAFileOfAnySize) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    const auto path = folder_.path() / "file";
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7);
    std::ofstream(path, std::ios::binary) << text;
    const FileBytes file(path);
    ASSERT_EQ(file.bytes().size(), size);
    EXPECT_EQ(std::memcmp(file.bytes().data(), text.data(), size), 0);
  }
}

TEST_F(FileBytesTest, MapsALargeOne) {
  const auto path = folder_.path() / "large";
  std::ofstream(path) << "begin";
  std::filesystem::resize_file(path, std::uintmax_t{300} << 20);  // a hole: takes no disk
  const FileBytes file(path);
  EXPECT_EQ(file.bytes().size(), std::size_t{300} << 20);
  EXPECT_EQ(file.bytes()[0], std::byte{'b'});
}

TEST_F(FileBytesTest, NamesWhatCannotBeRead) {
  EXPECT_THAT(problem_of(folder_.path() / "none"), ::testing::HasSubstr("No such file"));
  EXPECT_THAT(problem_of(folder_.path()), ::testing::HasSubstr("is a folder"));
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(problem_of(pipe), ::testing::HasSubstr("is not a file")) << "and does not wait";
}

}  // namespace
}  // namespace mpbench
