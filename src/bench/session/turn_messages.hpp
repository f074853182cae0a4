#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "mpbench/bench/block_record.hpp"

/// What a comparison and the processes of its arms tell one another. The process of an arm says
/// `loaded` once its data and model are there, is told to warm up, and says `ready`; then it is
/// told to train so many steps, and answers with a block, until it is told to train to the end or
/// to stop.
namespace mpbench::bench {

/// Raised where messages change their meaning: two builds that are compared must agree in it.
inline constexpr int turn_protocol = 1;

struct TurnRequest {
  enum class Kind { warm_up, train_steps, profile_steps, train_to_end, stop };
  Kind kind = Kind::stop;
  std::int64_t steps = 0;  ///< of train_steps and profile_steps
};

nlohmann::json to_json(const TurnRequest& request);
/// Throws Error for what is not one.
TurnRequest turn_request_from(const nlohmann::json& message);

nlohmann::json loaded_message();
/// Throws Error where the message is another one, or of another protocol.
void require_loaded(const nlohmann::json& message);

nlohmann::json ready_message(std::int64_t total_steps);
/// The run's steps. Throws Error where the message is another one.
std::int64_t steps_when_ready(const nlohmann::json& message);

nlohmann::json to_json(const BlockStats& block);
/// Throws Error for what is not one.
BlockStats block_stats_from(const nlohmann::json& message);

}  // namespace mpbench::bench
