#include "mpbench/report/explanation_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "mpbench/core/utf8_text.hpp"
#include "mpbench/report/terminal_table.hpp"

namespace mpbench::report {
namespace {

using explain::ExplainedArm;
using explain::Explanation;
using explain::KindRow;

/// Operators beyond these are in lost.csv.
constexpr std::size_t shown_lost = 5;

std::string percent_of_step(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string milliseconds(double ms) {
  return ms >= 100 ? fmt::format("{:.0f}", ms) : fmt::format("{:.3g}", ms);
}

const KindRow* find(const ExplainedArm& arm, profile::OperatorKind kind) {
  const auto found = std::find_if(arm.kinds.begin(), arm.kinds.end(),
                                  [&](const KindRow& row) { return row.kind == kind; });
  return found == arm.kinds.end() ? nullptr : &*found;
}

/// All kinds of all arms, in the order of the baseline's time, then of the others'.
std::vector<profile::OperatorKind> kinds_of(const Explanation& explanation) {
  std::vector<profile::OperatorKind> kinds;
  for (const ExplainedArm& arm : explanation.arms) {
    for (const KindRow& row : arm.kinds) {
      if (std::find(kinds.begin(), kinds.end(), row.kind) == kinds.end()) kinds.push_back(row.kind);
    }
  }
  return kinds;
}

void add_cells(std::vector<TextCell>& cells, const KindRow* row, bool with_ratio) {
  cells.push_back({row == nullptr ? "-" : milliseconds(row->ms)});
  cells.push_back({row == nullptr ? "" : percent_of_step(row->share), Colour::dim});
  if (!with_ratio) return;
  const bool known = row != nullptr && row->ratio;
  cells.push_back({known ? fmt::format("{:.2f}x", *row->ratio) : "",
                   known && *row->ratio < 1 ? Colour::bad : Colour::none});
}

std::string kinds_table(const Explanation& explanation, std::size_t width, bool colour) {
  std::vector<std::string> header{"ms a step"};
  for (std::size_t i = 0; i < explanation.arms.size(); ++i) {
    header.insert(header.end(), {explanation.arms[i].name, ""});
    if (i > 0) header.emplace_back("ratio");
  }
  TerminalTable table(header);
  for (const profile::OperatorKind kind : kinds_of(explanation)) {
    std::vector<TextCell> cells{{std::string(enum_name(kind))}};
    for (std::size_t i = 0; i < explanation.arms.size(); ++i) {
      add_cells(cells, find(explanation.arms[i], kind), i > 0);
    }
    table.add_row(std::move(cells));
  }
  std::vector<TextCell> whole{{"the step", Colour::bold}};
  std::vector<TextCell> limit{{"roofline", Colour::dim}};
  for (std::size_t i = 0; i < explanation.arms.size(); ++i) {
    const ExplainedArm& arm = explanation.arms[i];
    whole.insert(whole.end(), {{milliseconds(arm.step_ms), Colour::bold}, {"100 %", Colour::dim}});
    limit.insert(limit.end(), {{milliseconds(arm.floor_ms), Colour::dim},
                               {percent_of_step(arm.step_ms > 0 ? arm.floor_ms / arm.step_ms : 0),
                                Colour::dim}});
    if (i == 0) continue;
    const double ratio = arm.step_ms > 0 ? explanation.arms.front().step_ms / arm.step_ms : 0;
    whole.push_back({fmt::format("{:.2f}x", ratio), ratio > 1 ? Colour::good : Colour::bad});
    limit.push_back({});
  }
  table.add_row(std::move(whole));
  table.add_row(std::move(limit));
  return table.render(width, colour);
}

std::string ceilings_text(const Explanation& explanation, const std::string& baseline,
                          std::size_t width) {
  std::string text;
  for (const explain::Ceiling& each : explanation.ceilings) {
    text += wrap(
        fmt::format("{}: {:.0f} % of the {} step multiply matrices, {:.3g} times as fast here, and "
                    "{:.0f} % move tensors, {:.3g} times as small: at most {:.2f}x.",
                    each.arm, 100 * each.matrix_share, baseline, each.matrix_gain,
                    100 * each.memory_share, each.memory_gain, each.speedup),
        width, "  ");
  }
  return text;
}

std::string lost_table(const Explanation& explanation, const std::string& arm, std::size_t width,
                       bool colour) {
  TerminalTable table({arm + " loses most in", "baseline", "ms", "expected", "lost"});
  std::size_t shown = 0;
  for (const explain::LostRow& row : explanation.lost) {
    if (row.arm != arm || shown == shown_lost) continue;
    ++shown;
    const std::string name = row.name.empty() ? std::string(enum_name(row.kind)) : row.name;
    table.add_row({{row.shapes.empty() ? name : fmt::format("{} {}", name, row.shapes)},
                   {milliseconds(row.baseline_ms)},
                   {milliseconds(row.ms)},
                   {milliseconds(row.expected_ms)},
                   {milliseconds(row.lost_ms)}});
  }
  return shown == 0 ? std::string() : table.render(width, colour);
}

std::string kept_text(const ExplainedArm& arm, std::size_t width) {
  if (arm.kept_in_float32.empty()) return {};
  std::string names;
  for (const profile::OperatorRecord& row : arm.kept_in_float32) {
    names += fmt::format("{}{} {} ms", names.empty() ? "" : ", ", row.name, milliseconds(row.ms));
  }
  return wrap(fmt::format("{} computes in float32: {}", arm.name, names), width, "  ");
}

std::string causes_text(const Explanation& explanation, std::size_t width) {
  if (explanation.causes.empty()) return "No cause was found that explains a loss.\n";
  std::string text;
  for (const explain::Cause& cause : explanation.causes) {
    text += wrap(fmt::format("{}{}{}: {}", cause.arm, cause.arm.empty() ? "" : ", ",
                             enum_name(cause.kind), cause.evidence),
                 width, "  ");
    text += wrap("  try: " + cause.remedy, width, "       ");
  }
  return text;
}

std::string cost_text(const Explanation& explanation, std::size_t width) {
  std::string costs;
  for (const ExplainedArm& arm : explanation.arms) {
    const double cost = arm.step_ms > 0 ? arm.profiled_step_ms / arm.step_ms - 1 : 0;
    costs += fmt::format("{}{:+.1f} % ({})", costs.empty() ? "" : ", ", 100 * cost, arm.name);
  }
  return wrap(fmt::format("The profiler's own cost, which is in no time above: {}.", costs), width,
              "  ");
}

nlohmann::ordered_json record_json(const auto& record) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  visit_columns(record, [&]<class Value>(const char* name, const Value& value) {
    if constexpr (NamedEnum<Value>) {
      json[name] = enum_name(value);
    } else if constexpr (requires { value.has_value(); }) {
      if (value) json[name] = *value;
    } else {
      json[name] = value;
    }
  });
  return json;
}

nlohmann::ordered_json records_json(const auto& records) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& record : records) list.push_back(record_json(record));
  return list;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, const profile::MachineRates& rates,
                             std::size_t width, bool colour) {
  if (explanation.arms.empty()) return {};
  const std::string& baseline = explanation.arms.front().name;
  std::string text = kinds_table(explanation, width, colour) + '\n';
  std::string measured;
  for (const profile::MatrixRate& rate : rates.matrix) {
    measured += fmt::format("{}{} {:.3g}", measured.empty() ? "" : ", ", to_string(rate.precision),
                            rate.gflop_per_s);
  }
  text += wrap(fmt::format("Rates measured here: {} GFLOP/s; copies {:.3g} GB/s.", measured,
                           rates.copy_gb_per_s),
               width, "  ");
  text += ceilings_text(explanation, baseline, width);
  for (const ExplainedArm& arm : explanation.arms) text += kept_text(arm, width);
  text += cost_text(explanation, width) + '\n';
  for (const ExplainedArm& arm : explanation.arms) {
    const std::string lost = lost_table(explanation, arm.name, width, colour);
    if (!lost.empty()) text += lost + '\n';
  }
  return text + causes_text(explanation, width);
}

std::string explanation_json(const Explanation& explanation, const profile::MachineRates& rates) {
  nlohmann::ordered_json json;
  nlohmann::ordered_json matrix = nlohmann::ordered_json::object();
  for (const profile::MatrixRate& rate : rates.matrix) {
    matrix[std::string(to_string(rate.precision))] = rate.gflop_per_s;
  }
  json["rates"] = {{"gflop_per_s", matrix}, {"copy_gb_per_s", rates.copy_gb_per_s}};
  json["arms"] = nlohmann::ordered_json::array();
  for (const ExplainedArm& arm : explanation.arms) {
    json["arms"].push_back({{"arm", arm.name},
                            {"precision", to_string(arm.precision)},
                            {"step_ms", arm.step_ms},
                            {"profiled_step_ms", arm.profiled_step_ms},
                            {"floor_ms", arm.floor_ms},
                            {"kinds", records_json(arm.kinds)},
                            {"kept_in_float32", records_json(arm.kept_in_float32)}});
  }
  json["ceilings"] = nlohmann::ordered_json::array();
  for (const explain::Ceiling& each : explanation.ceilings) {
    json["ceilings"].push_back({{"arm", each.arm},
                                {"matrix_share", each.matrix_share},
                                {"matrix_gain", each.matrix_gain},
                                {"memory_share", each.memory_share},
                                {"memory_gain", each.memory_gain},
                                {"speedup", each.speedup}});
  }
  json["lost"] = records_json(explanation.lost);
  json["causes"] = records_json(explanation.causes);
  return json.dump(2) + "\n";
}

}  // namespace mpbench::report
