#include "mpbench/io/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "mpbench/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AtomicFileTest, KeepsTheOldFileUntilCommit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.csv";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(content(path), "old");
    file.commit();
  }
  EXPECT_EQ(content(path), "new");
}

TEST(AtomicFileTest, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  { AtomicFile(folder.path() / "a.csv").write("half"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(AtomicFileTest, NamesThePathThatCannotBeWritten) {
  EXPECT_THAT([] { write_file("/no/such/folder/a.csv", "x"); },
              ThrowsMessage<Error>(HasSubstr("/no/such/folder/a.csv: cannot write: No such file")));
}

TEST(AtomicFileTest, ReportsAFileThatGrowsTooLargeAndKeepsTheOldOne) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.csv";
  write_file(path, "old");
  // A limit on file size stands in for a full disk: write() fails half-way in the same manner.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THAT([&] { write_file(path, std::string(5000, 'x')); },
              ThrowsMessage<Error>(HasSubstr("cannot write")));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(content(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(MakeWritableFolderTest, NamesTheFolderAndTheCause) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  EXPECT_THAT([&] { make_writable_folder(folder.path() / "file" / "sub"); },
              ThrowsMessage<Error>(HasSubstr("cannot make this folder")));
  EXPECT_THAT([] { make_writable_folder("/proc"); },
              ThrowsMessage<Error>(HasSubstr("/proc: cannot write into")));
}

}  // namespace
}  // namespace mpbench
