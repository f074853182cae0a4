#include "../../src/data/loader/prefetch_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>

namespace mpbench::data {
namespace {

using namespace std::chrono_literals;

TEST(PrefetchRingTest, HandsItemsOutInOrder) {
  for (const int workers : {0, 1, 4}) {
    std::array<std::int64_t, 5> slots{};
    PrefetchRing ring(workers, slots.size(), [&](std::size_t slot, std::int64_t item) {
      std::this_thread::sleep_for(std::chrono::microseconds(item * 37 % 300));
      slots[slot] = item;
    });
    for (int epoch = 0; epoch < 2; ++epoch) {
      ring.stop();
      ring.start(50);
      for (std::int64_t item = 0; item < 50; ++item) {
        const auto slot = ring.take();
        ASSERT_TRUE(slot);
        EXPECT_EQ(slots[*slot], item) << workers << " workers";
      }
      EXPECT_FALSE(ring.take());
      EXPECT_FALSE(ring.take());
    }
  }
}

TEST(PrefetchRingTest, LeavesTheSlotThatWasTakenAlone) {
  std::array<std::int64_t, 3> slots{};
  PrefetchRing ring(2, slots.size(),
                    [&](std::size_t slot, std::int64_t item) { slots[slot] = item; });
  ring.start(20);
  for (std::int64_t item = 0; item < 20; ++item) {
    const auto slot = ring.take();
    std::this_thread::sleep_for(1ms);  // time enough for a worker to do harm
    EXPECT_EQ(slots[*slot], item);
  }
}

TEST(PrefetchRingTest, RethrowsInOrderAndRecovers) {
  for (const int workers : {0, 1, 3}) {
    std::atomic<bool> broken = true;
    PrefetchRing ring(workers, 4, [&](std::size_t, std::int64_t item) {
      if (broken && item == 3) throw std::runtime_error("item 3");
    });
    ring.start(10);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.take());
    EXPECT_THROW(ring.take(), std::runtime_error);
    EXPECT_THROW(ring.take(), std::runtime_error) << "an error is no end of an epoch";
    broken = false;
    ring.stop();
    ring.start(10);
    int count = 0;
    while (ring.take()) ++count;
    EXPECT_EQ(count, 10);
  }
}

TEST(PrefetchRingTest, WaitsForFillsWhenItStops) {
  std::atomic<int> filling = 0;
  PrefetchRing ring(3, 5, [&](std::size_t, std::int64_t) {
    ++filling;
    std::this_thread::sleep_for(5ms);
    --filling;
  });
  ring.start(100);
  EXPECT_TRUE(ring.take());
  ring.stop();
  EXPECT_EQ(filling, 0) << "a fill that goes on would spoil the next epoch";
  std::this_thread::sleep_for(1ms);
  EXPECT_EQ(filling, 0);
}

TEST(PrefetchRingTest, EndsInTheMiddleOfItsWork) {
  for (const int workers : {0, 1, 3}) {
    PrefetchRing ring(workers, 4,
                      [](std::size_t, std::int64_t) { std::this_thread::sleep_for(1ms); });
    ring.start(1000);
    EXPECT_TRUE(ring.take());
  }
}

TEST(PrefetchRingTest, FillsNothingWhileItIsPaused) {
  for (const int workers : {1, 4}) {
    std::atomic<int> fills = 0;
    PrefetchRing ring(workers, 8, [&](std::size_t, std::int64_t) {
      std::this_thread::sleep_for(2ms);
      ++fills;
    });
    ring.start(100);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(ring.take());
    ring.pause();
    const int filled = fills;
    std::this_thread::sleep_for(30ms);
    EXPECT_EQ(fills, filled) << "those under way had ended";
    ring.resume();
    for (int i = 20; i < 100; ++i) EXPECT_TRUE(ring.take()) << "nothing was lost";
    EXPECT_FALSE(ring.take());
    EXPECT_EQ(fills, 100) << "and nothing filled twice";
  }
}

TEST(PrefetchRingTest, MeasuresTheWait) {
  for (const int workers : {0, 1}) {
    PrefetchRing ring(workers, 3,
                      [](std::size_t, std::int64_t) { std::this_thread::sleep_for(5ms); });
    ring.start(10);
    while (ring.take()) {
    }
    EXPECT_GE(ring.wait_seconds(), 0.040);
    EXPECT_LE(ring.wait_seconds(), 5.0);
  }
  PrefetchRing fast(1, 3, [](std::size_t, std::int64_t) {});
  fast.start(10);
  std::this_thread::sleep_for(20ms);
  while (fast.take()) {
  }
  EXPECT_LE(fast.wait_seconds(), 0.020);
}

}  // namespace
}  // namespace mpbench::data
