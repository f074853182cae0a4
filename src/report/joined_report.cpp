#include "mpbench/report/joined_report.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "joined_blocks.hpp"
#include "mpbench/core/enum_names.hpp"

namespace mpbench::report {
namespace {

using nlohmann::ordered_json;

template <class Value>
ordered_json cell_json(const Value& value) {
  if constexpr (NamedEnum<Value>) {
    return std::string(enum_name(value));
  } else {
    return value;
  }
}

template <class Value>
ordered_json cell_json(const std::optional<Value>& value) {
  return value ? cell_json(*value) : ordered_json(nullptr);
}

/// A record's columns, with null for an empty one.
template <class Record>
ordered_json row_json(const Record& record) {
  ordered_json json = ordered_json::object();
  visit_columns(record,
                [&](const char* name, const auto& value) { json[name] = cell_json(value); });
  return json;
}

}  // namespace

std::string joined_table(std::span<const bench::ComparisonFolder> folders,
                         std::span<const bench::JoinedRow> rows, std::size_t width, bool colour) {
  return blocks_table(joined_blocks(folders, rows), width, colour);
}

std::string joined_markdown(std::span<const bench::ComparisonFolder> folders,
                            std::span<const bench::JoinedRow> rows) {
  return blocks_markdown(joined_blocks(folders, rows));
}

std::string joined_json(std::span<const bench::ComparisonFolder> folders,
                        std::span<const bench::JoinedRow> rows) {
  ordered_json json = ordered_json::object();
  json["folders"] = ordered_json::array();
  for (const bench::ComparisonFolder& folder : folders) {
    ordered_json one = ordered_json::object();
    one["folder"] = folder.name;
    one["path"] = folder.path.string();
    one.update(row_json(bench::facts_of(folder)));
    json["folders"].push_back(std::move(one));
  }
  json["differences"] = ordered_json::object();
  for (const bench::FolderDifference& each : bench::folder_differences(folders)) {
    json["differences"][each.what] = each.values;
  }
  json["rows"] = ordered_json::array();
  for (const bench::JoinedRow& row : rows) json["rows"].push_back(row_json(row));
  // A file may say what is no UTF-8.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mpbench::report
