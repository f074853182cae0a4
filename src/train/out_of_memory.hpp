#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <string>
#include <vector>

#include "mpbench/train/errors.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {

/// Call it while `error` is handled: an allocation that was refused becomes OutOfMemory, "memory
/// ran out {where}: {reason}"; all else is rethrown.
[[noreturn]] void rethrow_naming(const std::exception& error, c10::Device device,
                                 const std::string& where);

/// Does a step's work; an allocation that is refused in it becomes OutOfMemory, which names the
/// step and the batch.
template <class Work>
auto naming_batch(const Trainer::State& state, const std::vector<data::Batch>& batches,
                  const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    const std::string times = batches.size() > 1 ? fmt::format("{} x ", batches.size()) : "";
    rethrow_naming(error, state.device,
                   fmt::format("in step {}, with a batch of {}[{}]", state.steps_done + 1, times,
                               fmt::join(batches.front().images.sizes(), ", ")));
  }
}

}  // namespace mpbench::train
