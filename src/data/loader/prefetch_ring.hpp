#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace mpbench::data {

/// Fills slots ahead of whoever takes them, in threads, and hands them out in order. Item i goes to
/// slot i % slots. One thread takes; the workers only ever call `fill`.
class PrefetchRing {
 public:
  /// Fills a slot with an item; called for different slots at once. May throw: take() then
  /// rethrows.
  using Fill = std::function<void(std::size_t slot, std::int64_t item)>;

  /// With no workers, take() calls `fill` itself. `slots` must be at least 2.
  PrefetchRing(int workers, std::size_t slots, Fill fill);
  ~PrefetchRing();
  PrefetchRing(const PrefetchRing&) = delete;
  PrefetchRing& operator=(const PrefetchRing&) = delete;

  /// Drops what is under way, waiting for fills in progress. No fill runs until start().
  void stop();
  /// Begins with item `first` of `items`; only after stop(), or the first time.
  void start(std::int64_t items, std::int64_t first = 0);
  /// Lets the workers finish what they are filling, and then nothing until resume(): what is filled
  /// stays so. take() must not be called in between.
  void pause();
  void resume();
  /// The slot of the next item, the caller's until the next take(), stop() or the end; nothing
  /// after the last item. Rethrows what `fill` threw for this item, each time it is called until
  /// start().
  std::optional<std::size_t> take();

  /// Seconds take() has waited, over all starts.
  double wait_seconds() const { return wait_seconds_; }

 private:
  void work();
  std::size_t slot_of(std::int64_t item) const {
    return static_cast<std::size_t>(item) % ready_.size();
  }

  Fill fill_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> ready_;         // which item each slot holds; -1: none
  std::vector<std::exception_ptr> errors_;  // by slot
  std::int64_t items_ = 0;
  std::int64_t next_fill_ = 0;
  std::int64_t next_take_ = 0;
  std::int64_t released_ = 0;  // items whose slot may be filled again
  int filling_ = 0;
  bool paused_ = false;
  bool ending_ = false;
  double wait_seconds_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace mpbench::data
