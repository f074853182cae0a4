#include "mpbench/core/parallel_for.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "mpbench/core/interrupt.hpp"

namespace mpbench {
namespace {

constexpr std::chrono::milliseconds report_period{100};

class ParallelLoop {
 public:
  ParallelLoop(std::size_t count, const std::function<void(std::size_t)>& work)
      : count_(count), work_(work) {}

  void run(std::size_t threads, const std::function<void()>& report) {
    {
      std::vector<std::jthread> running;  // joined at the end of this block
      try {
        for (std::size_t i = 0; i < threads; ++i) {
          running.emplace_back([this] { take_items(); });
          const std::lock_guard lock(mutex_);
          ++started_;
        }
        wait(report);
      } catch (...) {
        stop_ = true;
        throw;
      }
    }
    if (failure_) std::rethrow_exception(failure_);
    throw_if_interrupted();
  }

 private:
  void take_items() {
    while (!stop_ && !interrupt_requested()) {
      const std::size_t item = next_++;
      if (item >= count_) break;
      try {
        work_(item);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        stop_ = true;
      }
    }
    {
      const std::lock_guard lock(mutex_);
      ++ended_;
    }
    changed_.notify_all();
  }

  void wait(const std::function<void()>& report) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, report_period, [this] { return ended_ == started_; })) {
      lock.unlock();
      if (report) report();
      lock.lock();
    }
    lock.unlock();
    if (report) report();
  }

  std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t started_ = 0;
  std::size_t ended_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                  const std::function<void()>& report) {
  const std::size_t wanted = threads > 0 ? static_cast<std::size_t>(threads)
                                         : std::max(1U, std::thread::hardware_concurrency());
  ParallelLoop(count, work).run(std::min(wanted, count), report);
}

}  // namespace mpbench
