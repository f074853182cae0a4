#include "mpbench/commands/report_options.hpp"

#include <fmt/format.h>

#include <set>
#include <system_error>

#include "mpbench/bench/requirement.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"

namespace mpbench::commands {
namespace {

void require_comparison(const std::filesystem::path& folder) {
  std::error_code unknown;
  if (!std::filesystem::is_directory(folder, unknown)) {
    throw InputError(folder, "folder", "there is none of this name");
  }
  if (!std::filesystem::exists(folder / "config.toml", unknown)) {
    throw InputError(folder, "folder",
                     "it holds no comparison: there is no config.toml, which mpbench compare "
                     "writes into its --out");
  }
}

}  // namespace

void validate(const ReportOptions& options) {
  for (const std::string& text : options.requirements) {
    for (const bench::Condition& condition : bench::parse_requirement(text).conditions) {
      if (condition.of_accuracy && options.folders.size() > 1) {
        throw UsageError(
            fmt::format("--require: '{}': of several folders the speeds are compared, and not "
                        "accuracy",
                        condition.text));
      }
    }
  }
  std::set<std::filesystem::path> seen;
  for (const std::filesystem::path& folder : options.folders) {
    require_comparison(folder);
    if (!seen.insert(std::filesystem::canonical(folder)).second) {
      throw UsageError(fmt::format("{}: this folder is named twice", folder.string()));
    }
  }
}

std::vector<std::string> folder_names(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::string> names;
  std::vector<std::string> paths;
  for (const std::filesystem::path& folder : folders) {
    std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();  // "runs/" names what "runs" does
    names.push_back(printable_text(whole.filename().string()));
    paths.push_back(printable_text(folder.string()));
  }
  const bool differ = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  return differ ? names : paths;
}

}  // namespace mpbench::commands
