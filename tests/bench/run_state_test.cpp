#include "../../src/bench/run_state.hpp"

#include <gtest/gtest.h>

namespace mpbench::bench {
namespace {

RunState state_with_a_gpus_use() {
  RunState state;
  state.use = ResourceUse{.peak_device_bytes = 5, .peak_reserved_bytes = 7, .cpu_time_s = 1};
  state.use->gpu = {
      .energy_j = 2.5, .clocks_mhz = {{1200, 3}, {1410, 40}}, .throttle_reasons = 0x4};
  return state;
}

TEST(RunStateTest, KeepsWhatTheGpuTook) {
  const RunState read = run_state_from(to_json(state_with_a_gpus_use()));
  EXPECT_EQ(read.use->peak_reserved_bytes, 7);
  EXPECT_EQ(read.use->gpu.energy_j, 2.5);
  EXPECT_EQ(read.use->gpu.clocks_mhz, (std::map<int, std::int64_t>{{1200, 3}, {1410, 40}}));
  EXPECT_EQ(read.use->gpu.throttle_reasons, 0x4U);
}

TEST(RunStateTest, ReadsStatesFromBeforeTheGpuWasMeasured) {
  nlohmann::json state = to_json(state_with_a_gpus_use());
  for (const char* name :
       {"peak_reserved_bytes", "device_energy_j", "device_clocks_mhz", "device_throttle_reasons"}) {
    state["use"].erase(name);
  }
  const RunState read = run_state_from(state);
  EXPECT_EQ(read.use->cpu_time_s, 1);
  EXPECT_EQ(read.use->peak_reserved_bytes, std::nullopt);
  EXPECT_EQ(read.use->gpu.energy_j, std::nullopt);
}

}  // namespace
}  // namespace mpbench::bench
