#include "mpbench/core/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "support/environment_variable.hpp"

namespace mpbench {
namespace {

/// While it lives, stderr is this file.
class StderrInto {
 public:
  explicit StderrInto(int file) : before_(dup(STDERR_FILENO)) { dup2(file, STDERR_FILENO); }
  ~StderrInto() {
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  StderrInto(const StderrInto&) = delete;
  StderrInto& operator=(const StderrInto&) = delete;

 private:
  int before_;
};

class TerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) {
      GTEST_SKIP() << "no pseudo-terminal can be made here";
    }
    terminal_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal_, 0);
  }
  ~TerminalTest() override {
    if (terminal_ >= 0) close(terminal_);
    if (master_ >= 0) close(master_);
  }
  std::size_t width_of(unsigned short columns) const {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
    const StderrInto terminal(terminal_);
    return terminal_width();
  }

  int master_ = -1;
  int terminal_ = -1;
};

TEST_F(TerminalTest, HasTheColumnsOfTheTerminal) {
  EXPECT_EQ(width_of(132), 132U);
  EXPECT_EQ(width_of(20), 20U);
  EXPECT_EQ(width_of(19), 80U) << "no table fits into that";
  EXPECT_EQ(width_of(0), 80U) << "what a terminal says that does not know";
}

TEST_F(TerminalTest, HasColoursUnlessTheyAreUnwanted) {
  unsetenv("NO_COLOR");
  const StderrInto terminal(terminal_);
  EXPECT_TRUE(terminal_colours());
  const EnvironmentVariable no_color("NO_COLOR", "1");
  EXPECT_FALSE(terminal_colours());
}

TEST_F(TerminalTest, IsNoFile) {
  const int file = open("/dev/null", O_WRONLY);
  {
    const StderrInto nothing(file);
    EXPECT_EQ(terminal_width(), 80U);
    EXPECT_FALSE(terminal_colours());
  }
  close(file);
}

}  // namespace
}  // namespace mpbench
