#include "comparison_folder.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/io/toml_text.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// A session has eight rounds or fewer; the time that a session's value takes grows with their
/// square.
constexpr std::int64_t most_rounds = 1000;

/// The options that a comparison keeps in its folder. What toml_line() writes of a number, a text
/// or a list is JSON too.
class KeptOptions {
 public:
  explicit KeptOptions(fs::path file) : file_(std::move(file)) {
    constexpr std::size_t largest_bytes = 1 << 20;
    const FileBytes content(file_);
    const auto bytes = content.bytes();
    if (bytes.size() > largest_bytes) throw InputError(file_, "size", "larger than 1 MiB");
    values_ = toml_lines({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  [[noreturn]] void fail(const std::string& option, const std::string& problem) const {
    throw InputError(file_, option, problem);
  }

  /// Discarded where the file does not have the option.
  nlohmann::json find(const std::string& option) const {
    const auto found = values_.find(option);
    if (found == values_.end()) return nlohmann::json::value_t::discarded;
    nlohmann::json value = parse_json(found->second);
    if (value.is_discarded()) fail(option, fmt::format("'{}' is no value", found->second));
    return value;
  }

  /// Throws InputError where the file does not have the option, as every comparison's has.
  void require(const std::string& option) const {
    if (values_.contains(option)) return;
    fail(option, "there is no such line: the file is not as mpbench compare writes it");
  }

  /// Leaves `value` as it is where the file does not have the option.
  void read(const std::string& option, double& value) const {
    const nlohmann::json found = find(option);
    if (found.is_discarded()) return;
    if (!found.is_number()) fail(option, "a number is expected");
    value = found.get<double>();
  }
  void read(const std::string& option, int& value) const {
    const nlohmann::json found = find(option);
    if (found.is_discarded()) return;
    if (!found.is_number_integer()) fail(option, "a whole number is expected");
    try {
      value = whole_number<int>(found);
    } catch (const Error& error) {
      fail(option, error.what());
    }
  }
  void read(const std::string& option, std::string& value) const {
    const nlohmann::json found = find(option);
    if (found.is_discarded()) return;
    if (!found.is_string()) fail(option, "a text is expected");
    value = found.get<std::string>();
  }

  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  fs::path file_;
  std::map<std::string, std::string> values_;
};

/// How the comparison is judged, as run_compare() takes it from its options.
bench::ComparisonOptions judged_by(const KeptOptions& kept) {
  bench::ComparisonOptions options;
  kept.require("margin");
  kept.require("confidence");
  kept.read("margin", options.margin);
  kept.read("confidence", options.confidence);
  kept.read("equivalence", options.speed.equivalence);
  kept.read("target-precision", options.speed.target);
  kept.read("primary", options.speed.primary);
  kept.read("folds", options.folds);
  options.speed.confidence = options.confidence;
  int sessions = 0;
  kept.read("sessions", sessions);
  if (sessions > 0) options.speed.looks = {sessions};
  const nlohmann::json precisions = kept.find("precision");
  if (precisions.is_array() && !precisions.empty() && precisions.front().is_string()) {
    options.baseline_precision = precisions.front().get<std::string>();
  }
  try {
    bench::validate(options);
  } catch (const UsageError& error) {
    kept.fail("options", error.what());
  }
  return options;
}

/// Texts of a table that are shown on terminals.
template <class Record>
void make_printable(std::vector<Record>& records) {
  for (Record& record : records) {
    visit_columns(record, [](const char*, auto& value) {
      if constexpr (std::is_same_v<decltype(value), std::string&>) value = printable_text(value);
    });
  }
}

/// Throws InputError for a number that is not finite. `row`: the record's place, from 0.
template <class Record>
void require_finite(const fs::path& file, const Record& record, std::size_t row) {
  visit_columns(record, [&]<class Value>(const char* column, const Value& value) {
    double number = 0;
    if constexpr (std::is_same_v<Value, double>) number = value;
    if constexpr (std::is_same_v<Value, std::optional<double>>) number = value.value_or(0);
    if (std::isfinite(number)) return;
    // The header is row 1.
    throw InputError(file, fmt::format("row {}, column {}", row + 2, column),
                     fmt::format("{} is no measurement", number));
  });
}

void require_counts(const fs::path& file, const bench::BlockRecord& block, std::size_t row) {
  const bool counts = block.steps >= 0 && block.images >= 0 && block.skipped_steps >= 0 &&
                      block.skipped_steps <= block.steps;
  const bool is_round = block.round >= 0 && block.round <= most_rounds;
  const bool times = block.time_s >= 0 && block.data_wait_s >= 0 && block.cpu_time_s >= 0;
  if (counts && is_round && times) return;
  throw InputError(file, fmt::format("row {}", row + 2),
                   "a count or a time in it is out of range: no block is like that");
}

bench::Measurements read_measurements(const fs::path& folder) {
  bench::Measurements measured;
  const fs::path runs_file = folder / "runs.csv";
  for (bench::RunOutput& output : bench::read_runs(folder)) {
    bench::RunRecord& run = output.run;
    const std::size_t row = measured.runs.size();
    if (!bench::is_file_name(run.run_id)) {
      throw InputError(runs_file, fmt::format("row {}, column run_id", row + 2),
                       fmt::format("'{}' is no run's name", run.run_id));
    }
    if (run.status == bench::RunStatus::ok) require_finite(runs_file, run, row);
    measured.runs.push_back(std::move(run));
  }
  if (measured.runs.empty()) {
    throw InputError(runs_file, "file", "there are no results in this folder yet");
  }
  measured.blocks = bench::read_blocks(folder);
  for (std::size_t row = 0; row < measured.blocks.size(); ++row) {
    require_finite(folder / "blocks.csv", measured.blocks[row], row);
    require_counts(folder / "blocks.csv", measured.blocks[row], row);
  }
  measured.sessions = bench::read_sessions(folder);
  for (std::size_t row = 0; row < measured.sessions.size(); ++row) {
    require_finite(folder / "sessions.csv", measured.sessions[row], row);
  }
  make_printable(measured.runs);
  make_printable(measured.blocks);
  make_printable(measured.sessions);
  return measured;
}

}  // namespace

bench::ComparisonTables compare_measurements(const fs::path& folder,
                                             const bench::Measurements& measured,
                                             const bench::ComparisonOptions& options) {
  return bench::compare_runs(
      measured, [&](const std::string& run_id) { return bench::read_predictions(folder, run_id); },
      options);
}

bench::ComparisonFolder read_comparison(const fs::path& path, std::string name) {
  const KeptOptions kept(path / "config.toml");
  bench::ComparisonFolder folder;
  folder.path = path;
  folder.name = std::move(name);
  folder.options = judged_by(kept);
  for (const auto& [option, value] : kept.values()) {
    folder.settings[printable_text(option)] = printable_text(value);
  }
  folder.measured = read_measurements(path);
  try {
    folder.comparisons = compare_measurements(path, folder.measured, folder.options).comparisons;
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
  return folder;
}

}  // namespace mpbench::commands
