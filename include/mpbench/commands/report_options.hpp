#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/commands/gate_options.hpp"
#include "mpbench/core/enum_names.hpp"

namespace mpbench::commands {

/// How a report is printed: as tables for a person, or for what reads standard output.
enum class ReportFormat { table, csv, json, markdown };

/// What `mpbench report` is told.
struct ReportOptions {
  std::vector<std::filesystem::path>
      folders;  ///< of comparisons; the first is what is compared with
  ReportFormat format = ReportFormat::table;
  std::vector<std::string> requirements;  ///< as bench::parse_requirement takes them
  GateFiles gate;
};

/// Throws UsageError for a folder that is named twice, for what is no requirement, and for one on
/// accuracy where there are several folders; InputError for a folder that holds no comparison.
void validate(const ReportOptions& options);

/// What tables call the folders: the last parts of their paths, or all of them where those would be
/// the same.
std::vector<std::string> folder_names(const std::vector<std::filesystem::path>& folders);

}  // namespace mpbench::commands

template <>
inline constexpr auto mpbench::enum_names<mpbench::commands::ReportFormat> =
    std::to_array<mpbench::EnumName<mpbench::commands::ReportFormat>>(
        {{mpbench::commands::ReportFormat::table, "table"},
         {mpbench::commands::ReportFormat::csv, "csv"},
         {mpbench::commands::ReportFormat::json, "json"},
         {mpbench::commands::ReportFormat::markdown, "markdown"}});
