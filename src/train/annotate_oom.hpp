#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <string>

#include "mpbench/core/first_line.hpp"
#include "mpbench/device/out_of_memory.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {

/// Does a step's work; an allocation that is refused in it becomes OutOfMemory, which names the
/// step and the batch. `batches` is empty while they are being prepared.
template <class Work>
auto annotate_oom(const Trainer::State& state, const std::vector<data::Batch>& batches,
                  const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (!device::is_out_of_memory(error, state.device)) throw;
    const std::string times = batches.size() > 1 ? fmt::format("{} x ", batches.size()) : "";
    throw OutOfMemory(
        fmt::format("memory ran out in step {}, with a batch of {}[{}]: {}", state.steps_done + 1,
                    times, fmt::join(state.batch_shape(batches), ", "), first_line(error.what())));
  }
}

}  // namespace mpbench::train
