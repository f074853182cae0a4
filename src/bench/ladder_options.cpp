#include <algorithm>
#include <string>

#include "mpbench/bench/ladder.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::bench {

void make_ladder(Grid& grid, LadderOrder order, bool on_cuda, Precision mixed) {
  if (order == LadderOrder::none) return;
  const Axis* batch = grid.find("batch-size");
  if (batch == nullptr || batch->values.size() != 1) {
    throw UsageError("--ladder: needs one --batch-size, which it doubles");
  }
  train::TrainConfig config = grid.config;
  train::set_option(config, batch->option, batch->values.front());
  std::vector<Axis> factors;
  if (on_cuda && order == LadderOrder::forward) factors.push_back({"precision", {"tf32"}});
  factors.push_back({"channels-last", {"true"}});
  factors.push_back({"precision", {std::string(to_string(mixed))}});
  factors.push_back({"batch-size", {std::to_string(2 * config.batch_size)}});
  if (on_cuda) factors.push_back({"cuda-graph", {"true"}});
  if (order == LadderOrder::reverse) std::reverse(factors.begin(), factors.end());
  grid.ladder = std::move(factors);
  grid.arm_option = "precision";
  grid.axis("precision").values = {"fp32"};
  grid.axis("channels-last").values = {"false"};
}

}  // namespace mpbench::bench
