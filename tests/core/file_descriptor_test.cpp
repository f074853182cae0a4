#include "mpbench/core/file_descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace mpbench {
namespace {

bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

TEST(FileDescriptorTest, ClosesWhatItHolds) {
  int number = -1;
  {
    FileDescriptor first(open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = first.get();
    ASSERT_TRUE(is_open(number));
    FileDescriptor second(std::move(first));
    EXPECT_EQ(second.get(), number);
    EXPECT_EQ(first.get(), -1);  // NOLINT(bugprone-use-after-move): it holds none
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(FileDescriptorTest, CanBeClosedEarlier) {
  FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = file.get();
  file.close();
  EXPECT_FALSE(is_open(number));
  EXPECT_EQ(file.get(), -1);
  file.close();
}

}  // namespace
}  // namespace mpbench
