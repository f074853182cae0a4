// The learning rate of every step of a schedule: one JSON object a line on stdin, one on stdout.
#include "../../src/train/schedule.hpp"

#include "driver.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::schedule_driver {
namespace {

nlohmann::json answer(const nlohmann::json& request) {
  const train::Schedule schedule{
      .kind = parse_enum<train::ScheduleKind>(request.at("name").get<std::string>(), "name"),
      .base_lr = request.at("base_lr"),
      .total_steps = request.at("total"),
      .warmup_steps = request.at("warmup"),
      .min_lr = request.at("min_lr")};
  nlohmann::json rates = nlohmann::json::array();
  for (std::int64_t step = 0; step <= schedule.total_steps; ++step) {
    rates.push_back(schedule.lr(step));
  }
  return rates;
}

}  // namespace

const Driver driver("schedule", answer);

}  // namespace mpbench::parity::schedule_driver
