#include "run_state.hpp"

#include <type_traits>

namespace mpbench::bench {
namespace {

template <class Value>
nlohmann::json cell(const Value& value) {
  return value;
}
template <class Value>
nlohmann::json cell(const std::optional<Value>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

template <class Value>
void read_cell(const nlohmann::json& from, Value& value) {
  from.get_to(value);
}
template <class Value>
void read_cell(const nlohmann::json& from, std::optional<Value>& value) {
  if (from.is_null()) {
    value.reset();
  } else {
    value = from.get<Value>();
  }
}

}  // namespace

void Totals::add(const train::EpochResult& epoch) {
  *this += epoch;
  complete_epochs += epoch.cut_short ? 0 : 1;
  skipped_steps += epoch.skipped_steps;
}

nlohmann::json to_json(const ResourceUse& use) {
  nlohmann::json clocks = nlohmann::json::array();
  for (const auto& [clock, times] : use.gpu.clocks_mhz) clocks.push_back({clock, times});
  return {{"peak_device_bytes", cell(use.peak_device_bytes)},
          {"peak_reserved_bytes", cell(use.peak_reserved_bytes)},
          {"device_energy_j", cell(use.gpu.energy_j)},
          {"device_clocks_mhz", std::move(clocks)},
          {"device_throttle_reasons", cell(use.gpu.throttle_reasons)},
          {"peak_rss_bytes", cell(use.peak_rss_bytes)},
          {"cpu_time_s", cell(use.cpu_time_s)},
          {"energy_j", cell(use.energy_j)}};
}

ResourceUse resource_use_from(const nlohmann::json& from) {
  ResourceUse use;
  read_cell(from.at("peak_device_bytes"), use.peak_device_bytes);
  read_cell(from.at("peak_rss_bytes"), use.peak_rss_bytes);
  read_cell(from.at("cpu_time_s"), use.cpu_time_s);
  read_cell(from.at("energy_j"), use.energy_j);
  if (!from.contains("device_energy_j")) return use;  // of an earlier version
  read_cell(from.at("peak_reserved_bytes"), use.peak_reserved_bytes);
  read_cell(from.at("device_energy_j"), use.gpu.energy_j);
  for (const auto& pair : from.at("device_clocks_mhz")) {
    use.gpu.clocks_mhz[pair.at(0).get<int>()] += pair.at(1).get<std::int64_t>();
  }
  read_cell(from.at("device_throttle_reasons"), use.gpu.throttle_reasons);
  return use;
}

nlohmann::json to_json(const RunState& state) {
  nlohmann::json epochs = nlohmann::json::array();
  for (const EpochRecord& record : state.epochs) {
    nlohmann::json row;
    visit_columns(record, [&](const char* name, const auto& value) { row[name] = cell(value); });
    epochs.push_back(std::move(row));
  }
  return {{"steps", state.totals.steps},
          {"images", state.totals.images},
          {"positives", cell(state.totals.positives)},
          {"skipped_steps", state.totals.skipped_steps},
          {"time_s", state.totals.time_s},
          {"data_wait_s", state.totals.data_wait_s},
          {"step_s", state.totals.step_s},
          {"epochs", std::move(epochs)},
          {"complete_epochs", state.totals.complete_epochs},
          {"use", state.use ? to_json(*state.use) : nlohmann::json(nullptr)}};
}

RunState run_state_from(const nlohmann::json& from) {
  RunState state;
  from.at("steps").get_to(state.totals.steps);
  from.at("images").get_to(state.totals.images);
  if (from.contains("positives")) read_cell(from.at("positives"), state.totals.positives);
  from.at("skipped_steps").get_to(state.totals.skipped_steps);
  from.at("time_s").get_to(state.totals.time_s);
  from.at("data_wait_s").get_to(state.totals.data_wait_s);
  from.at("step_s").get_to(state.totals.step_s);
  for (const auto& row : from.at("epochs")) {
    EpochRecord record;
    visit_columns(record, [&](const char* name, auto& value) { read_cell(row.at(name), value); });
    state.epochs.push_back(std::move(record));
  }
  // States of earlier versions have neither. What their part of the run took is not known.
  state.totals.complete_epochs =
      from.value("complete_epochs", static_cast<std::int64_t>(state.epochs.size()));
  if (!from.contains("use")) {
    state.use = ResourceUse{};
  } else if (!from.at("use").is_null()) {
    state.use = resource_use_from(from.at("use"));
  }
  return state;
}

}  // namespace mpbench::bench
