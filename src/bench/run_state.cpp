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
  steps += epoch.steps;
  images += epoch.images;
  if (epoch.positives) positives = positives.value_or(0) + *epoch.positives;
  skipped_steps += epoch.skipped_steps;
  time_s += epoch.time_s;
  data_wait_s += epoch.data_wait_s;
  step_s.insert(step_s.end(), epoch.step_s.begin(), epoch.step_s.end());
}

bool BestEpoch::offer(int number, const EpochRecord& record) {
  const std::optional<double> value = record.val_auc ? record.val_auc : record.val_accuracy;
  if (!value || (epoch > 0 && !(*value > metric))) return false;
  epoch = number;
  metric = *value;
  return true;
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
          {"best_epoch", state.best.epoch},
          {"best_metric", state.best.metric}};
}

RunState run_state_from(const nlohmann::json& from) {
  RunState state;
  from.at("steps").get_to(state.totals.steps);
  from.at("images").get_to(state.totals.images);
  read_cell(from.at("positives"), state.totals.positives);
  from.at("skipped_steps").get_to(state.totals.skipped_steps);
  from.at("time_s").get_to(state.totals.time_s);
  from.at("data_wait_s").get_to(state.totals.data_wait_s);
  from.at("step_s").get_to(state.totals.step_s);
  from.at("best_epoch").get_to(state.best.epoch);
  from.at("best_metric").get_to(state.best.metric);
  for (const auto& row : from.at("epochs")) {
    EpochRecord record;
    visit_columns(record, [&](const char* name, auto& value) { read_cell(row.at(name), value); });
    state.epochs.push_back(std::move(record));
  }
  return state;
}

}  // namespace mpbench::bench
