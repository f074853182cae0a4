#include "prefetch_ring.hpp"

#include <algorithm>

#include "mpbench/core/timer.hpp"

namespace mpbench::data {

PrefetchRing::PrefetchRing(int workers, std::size_t slots, Fill fill)
    : fill_(std::move(fill)), ready_(slots, -1), errors_(slots) {
  threads_.reserve(static_cast<std::size_t>(workers));
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

PrefetchRing::~PrefetchRing() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  threads_.clear();  // joins, while the mutex still exists
}

void PrefetchRing::stop() {
  std::unique_lock lock(mutex_);
  items_ = 0;
  changed_.wait(lock, [this] { return filling_ == 0; });
  std::fill(ready_.begin(), ready_.end(), -1);
  std::fill(errors_.begin(), errors_.end(), nullptr);
  next_fill_ = next_take_ = released_ = 0;
}

void PrefetchRing::start(std::int64_t items, std::int64_t first) {
  {
    const std::lock_guard lock(mutex_);
    next_fill_ = next_take_ = released_ = first;
    items_ = items;
  }
  changed_.notify_all();
}

void PrefetchRing::pause() {
  std::unique_lock lock(mutex_);
  paused_ = true;
  changed_.wait(lock, [this] { return filling_ == 0; });
}

void PrefetchRing::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  changed_.notify_all();
}

void PrefetchRing::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] {
      const auto slots = static_cast<std::int64_t>(ready_.size());
      return ending_ || (!paused_ && next_fill_ < items_ && next_fill_ < released_ + slots);
    });
    if (ending_) return;
    const std::int64_t item = next_fill_++;
    const std::size_t slot = slot_of(item);
    ++filling_;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(slot, item);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    errors_[slot] = error;
    ready_[slot] = item;
    --filling_;
    changed_.notify_all();
  }
}

std::optional<std::size_t> PrefetchRing::take() {
  const Stopwatch waiting;
  std::unique_lock lock(mutex_);
  released_ = next_take_;
  changed_.notify_all();
  if (next_take_ >= items_) return std::nullopt;
  const std::size_t slot = slot_of(next_take_);
  if (threads_.empty()) {
    fill_(slot, next_take_);
  } else {
    changed_.wait(lock, [&] { return ready_[slot] == next_take_; });
    if (errors_[slot]) std::rethrow_exception(errors_[slot]);
  }
  ++next_take_;
  wait_seconds_ += waiting.seconds();
  return slot;
}

}  // namespace mpbench::data
