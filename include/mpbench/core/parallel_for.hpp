#pragma once

#include <cstddef>
#include <functional>

namespace mpbench {

/// Calls work(i) for every i below `count`, in ascending order, from as many threads (0: one a
/// processor), and returns when all are done. Meanwhile the calling thread calls `report` every
/// 100 ms, and once at the end, whatever the end is.
///
/// After an exception, from `work` or from `report`, and after a request to interrupt nothing new
/// is begun. The first exception is thrown on to the caller; Interrupted where there is none.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                  const std::function<void()>& report = {});

}  // namespace mpbench
