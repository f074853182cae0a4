#include "mpbench/bench/run_record.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

using nlohmann::json;

json encode(const std::string& value) { return value; }
json encode(bool value) { return value; }
json encode(std::int64_t value) { return value; }
json encode(std::uint64_t value) { return value; }
json encode(RunStatus value) { return std::string(to_string(value)); }
json encode(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
template <class Value>
json encode(const std::optional<Value>& value) {
  return value ? encode(*value) : json(nullptr);
}

void expect(bool right, const char* what) {
  if (!right) throw Error(fmt::format("it is not {}", what));
}

void decode(const json& cell, std::string& value) {
  expect(cell.is_string(), "text");
  value = cell.get<std::string>();
}
void decode(const json& cell, bool& value) {
  expect(cell.is_boolean(), "true or false");
  value = cell.get<bool>();
}
void decode(const json& cell, std::int64_t& value) {
  expect(cell.is_number_integer(), "a whole number");
  expect(!cell.is_number_unsigned() ||
             cell.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()},
         "a number below 2^63");
  value = cell.get<std::int64_t>();
}
void decode(const json& cell, std::uint64_t& value) {
  expect(cell.is_number_unsigned(), "a whole number of 0 or more");
  value = cell.get<std::uint64_t>();
}
void decode(const json& cell, double& value) {
  if (cell.is_string()) {
    const auto text = cell.get<std::string>();
    expect(text == "nan" || text == "inf" || text == "-inf", "a number");
    value = text == "nan"   ? std::numeric_limits<double>::quiet_NaN()
            : text == "inf" ? std::numeric_limits<double>::infinity()
                            : -std::numeric_limits<double>::infinity();
    return;
  }
  expect(cell.is_number(), "a number");
  value = cell.get<double>();
}
void decode(const json& cell, RunStatus& value) {
  expect(cell.is_string(), "text");
  value = parse_run_status(cell.get<std::string>());
}
template <class Value>
void decode(const json& cell, std::optional<Value>& value) {
  if (cell.is_null()) {
    value.reset();
  } else {
    decode(cell, value.emplace());
  }
}

template <class Record>
json encode_record(const Record& record) {
  json object = json::object();
  visit_columns(record, [&](const char* name, const auto& value) { object[name] = encode(value); });
  return object;
}

template <class Record>
Record decode_record(const json& object) {
  if (!object.is_object()) throw Error("a record is a JSON object, and this is none");
  Record record;
  visit_columns(record, [&](const char* name, auto& value) {
    const auto cell = object.find(name);
    if (cell == object.end()) throw Error(fmt::format("the record has no column {}", name));
    try {
      decode(*cell, value);
    } catch (const Error& error) {
      throw Error(fmt::format("column {} of the record: {}", name, error.what()));
    }
  });
  return record;
}

constexpr std::string_view status_names[] = {"ok", "oom", "diverged", "failed", "interrupted"};

}  // namespace

std::string_view to_string(RunStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}

RunStatus parse_run_status(std::string_view text) {
  for (std::size_t i = 0; i < std::size(status_names); ++i) {
    if (status_names[i] == text) return static_cast<RunStatus>(i);
  }
  throw Error(fmt::format("'{}' is no run status (ok, oom, diverged, failed, interrupted)", text));
}

json to_json(const RunRecord& record) { return encode_record(record); }
json to_json(const EpochRecord& record) { return encode_record(record); }
RunRecord run_record_from_json(const json& object) { return decode_record<RunRecord>(object); }
EpochRecord epoch_record_from_json(const json& object) {
  return decode_record<EpochRecord>(object);
}

}  // namespace mpbench::bench
