#include "mpbench/io/mapped_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench {
namespace {

TEST(MappedFileTest, ShowsTheFilesBytesAlsoWhenThereAreNone) {
  const TemporaryFolder folder;
  write_file(folder.path() / "a", "xyz");
  write_file(folder.path() / "empty", "");
  const MappedFile file(folder.path() / "a");
  ASSERT_EQ(file.bytes().size(), 3U);
  EXPECT_EQ(file.bytes()[2], std::byte{'z'});
  EXPECT_TRUE(MappedFile(folder.path() / "empty").bytes().empty());
}

TEST(MappedFileTest, NamesWhatCannotBeRead) {
  EXPECT_THAT([] { MappedFile("/no/such/file"); },
              testing::ThrowsMessage<Error>(
                  testing::HasSubstr("/no/such/file: cannot read: No such file")));
  EXPECT_THAT([] { MappedFile("/tmp"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("directory")));
}

}  // namespace
}  // namespace mpbench
