#include "mpbench/core/interrupt.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "mpbench/core/error.hpp"

namespace mpbench {
namespace {

TEST(InterruptTest, TurnsASignalIntoAFlag) {
  install_interrupt_handler();
  EXPECT_FALSE(interrupt_requested());
  EXPECT_NO_THROW(throw_if_interrupted());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupt_requested());
  EXPECT_THROW(throw_if_interrupted(), Interrupted);
  request_interrupt(false);
  EXPECT_FALSE(interrupt_requested());
}

TEST(InterruptDeathTest, SecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace mpbench
