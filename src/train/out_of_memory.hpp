#pragma once

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <new>
#include <string_view>

#include "trainer_state.hpp"

namespace mpbench::train {

/// Whether an allocation was refused. ATen reports one on the CPU as a plain c10::Error: its
/// allocator's name is what tells. oneDNN reports std::runtime_error-like texts of its own.
inline bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string_view text = error.what();
  return text.find("DefaultCPUAllocator") != std::string_view::npos ||
         text.find("out of memory") != std::string_view::npos;
}

/// Does a step's work; an allocation that is refused in it becomes OutOfMemory, which names the
/// step and the batch.
template <class Work>
auto naming_batch(const Trainer::State& state, const std::vector<data::Batch>& batches,
                  const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
    const std::string reason =
        torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
    const std::string times = batches.size() > 1 ? fmt::format("{} x ", batches.size()) : "";
    throw OutOfMemory(fmt::format(
        "memory ran out in step {}, with a batch of {}[{}]: {}", state.steps_done + 1, times,
        fmt::join(batches.front().images.sizes(), ", "), reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace mpbench::train
