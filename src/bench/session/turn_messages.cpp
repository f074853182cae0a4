#include "turn_messages.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/io/json_text.hpp"

namespace mpbench::bench {
namespace {

using Json = nlohmann::json;

constexpr const char* train_steps_key = "train_steps";
constexpr const char* profile_steps_key = "profile_steps";
constexpr const char* train_to_end_key = "train_to_end";
constexpr const char* stop_key = "stop";
constexpr const char* warm_up_key = "warm_up";
constexpr const char* loaded_key = "loaded";
constexpr const char* ready_key = "ready";
constexpr const char* total_steps_key = "total_steps";
constexpr const char* block_key = "block";

[[noreturn]] void throw_unexpected(const Json& message, const char* expected) {
  throw Error(fmt::format("expected the message '{}', got {:.100}", expected, message.dump()));
}

const Json& member(const Json& message, const char* name) {
  if (!message.is_object() || !message.contains(name)) throw_unexpected(message, name);
  return message.at(name);
}

std::int64_t count(const Json& block, const char* name) {
  const auto value = whole_number<std::int64_t>(member(block, name));
  if (value < 0) throw Error(fmt::format("a block's {} is {}", name, value));
  return value;
}

double seconds(const Json& block, const char* name) {
  const Json& value = member(block, name);
  if (!value.is_number()) throw_unexpected(block, name);
  const auto number = value.get<double>();
  if (!std::isfinite(number) || number < 0) {
    throw Error(fmt::format("a block's {} is {}", name, number));
  }
  return number;
}

}  // namespace

Json to_json(const TurnRequest& request) {
  switch (request.kind) {
    case TurnRequest::Kind::warm_up:
      return {{warm_up_key, true}};
    case TurnRequest::Kind::train_steps:
      return {{train_steps_key, request.steps}};
    case TurnRequest::Kind::profile_steps:
      return {{profile_steps_key, request.steps}};
    case TurnRequest::Kind::train_to_end:
      return {{train_to_end_key, true}};
    case TurnRequest::Kind::stop:
      break;
  }
  return {{stop_key, true}};
}

TurnRequest turn_request_from(const Json& message) {
  if (message.is_object() && message.contains(stop_key)) return {};
  if (message.is_object() && message.contains(warm_up_key)) {
    return {.kind = TurnRequest::Kind::warm_up};
  }
  if (message.is_object() && message.contains(train_to_end_key)) {
    return {.kind = TurnRequest::Kind::train_to_end};
  }
  const bool profiled = message.is_object() && message.contains(profile_steps_key);
  const char* const key = profiled ? profile_steps_key : train_steps_key;
  const std::int64_t steps = count(message, key);
  if (steps == 0) throw_unexpected(message, key);
  return {.kind = profiled ? TurnRequest::Kind::profile_steps : TurnRequest::Kind::train_steps,
          .steps = steps};
}

Json loaded_message() { return {{loaded_key, turn_protocol}}; }

void require_loaded(const Json& message) {
  if (member(message, loaded_key) != Json(turn_protocol)) {
    throw Error(fmt::format("the program takes turns by protocol {}, and this one by {}",
                            message.at(loaded_key).dump(), turn_protocol));
  }
}

Json ready_message(std::int64_t total_steps) {
  return {{ready_key, true}, {total_steps_key, total_steps}};
}

std::int64_t steps_when_ready(const Json& message) {
  static_cast<void>(member(message, ready_key));
  return count(message, total_steps_key);
}

Json to_json(const BlockStats& block) {
  return {{block_key,
           {{"steps", block.steps},
            {"images", block.images},
            {"skipped_steps", block.skipped_steps},
            {"time_s", block.time_s},
            {"data_wait_s", block.data_wait_s},
            {"cpu_time_s", block.cpu_time_s},
            {"page_faults", block.page_faults},
            {"major_page_faults", block.major_page_faults},
            {"preemptions", block.preemptions},
            {"voluntary_switches", block.voluntary_switches},
            {"run_finished", block.run_finished}}}};
}

BlockStats block_stats_from(const Json& message) {
  const Json& block = member(message, block_key);
  return {.steps = count(block, "steps"),
          .images = count(block, "images"),
          .skipped_steps = count(block, "skipped_steps"),
          .time_s = seconds(block, "time_s"),
          .data_wait_s = seconds(block, "data_wait_s"),
          .cpu_time_s = seconds(block, "cpu_time_s"),
          .page_faults = count(block, "page_faults"),
          .major_page_faults = count(block, "major_page_faults"),
          .preemptions = count(block, "preemptions"),
          .voluntary_switches = count(block, "voluntary_switches"),
          .run_finished = member(block, "run_finished") == Json(true)};
}

}  // namespace mpbench::bench
