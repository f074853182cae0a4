#include "mpbench/bench/run_folder.hpp"

#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/csv_records.hpp"

namespace mpbench::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* blocks_file = "blocks.csv";
constexpr const char* sessions_file = "sessions.csv";
constexpr const char* operators_file = "operators.csv";
constexpr const char* convolutions_file = "convolutions.csv";

fs::path predictions_file(const fs::path& out, const std::string& run_id) {
  return out / "predictions" / (run_id + ".csv");
}

/// Rows are the true classes, columns the predicted ones.
void write_confusion(const fs::path& path, const RunOutput& output) {
  std::vector<std::string> cells{"true class"};
  cells.insert(cells.end(), output.classes.begin(), output.classes.end());
  std::string text = csv::line(cells);
  for (int label = 0; label < output.confusion.classes; ++label) {
    cells = {output.classes[static_cast<std::size_t>(label)]};
    for (int predicted = 0; predicted < output.confusion.classes; ++predicted)
      cells.push_back(std::to_string(output.confusion.at(label, predicted)));
    text += csv::line(cells);
  }
  write_file(path, text);
}

/// A folder of one run has the profile of that run.
void write_profile(const fs::path& out, const profile::StepProfile& profile) {
  if (profile.operators.empty()) return;
  csv::write_records(out / operators_file, profile.operators);
  csv::write_records(out / convolutions_file, profile.convolutions);
}

}  // namespace

void write_runs(const fs::path& out, const std::vector<RunOutput>& runs) {
  std::vector<RunRecord> records;
  std::vector<EpochRecord> epochs;
  for (const auto& output : runs) {
    records.push_back(output.run);
    epochs.insert(epochs.end(), output.epochs.begin(), output.epochs.end());
    if (output.predictions.empty()) continue;
    fs::create_directories(out / "predictions");
    csv::write_records(predictions_file(out, output.run.run_id), output.predictions);
    if (output.confusion.classes == 0) continue;
    fs::create_directories(out / "confusion");
    write_confusion(out / "confusion" / (output.run.run_id + ".csv"), output);
  }
  for (const auto& output : runs) write_profile(out, output.profile);
  csv::write_records(out / "epochs.csv", epochs);
  csv::write_records(out / "runs.csv", records);
}

std::vector<RunOutput> read_runs(const fs::path& out) {
  if (!fs::exists(out / "runs.csv")) return {};
  std::vector<RunOutput> runs;
  for (auto& record : csv::read_records<RunRecord>(out / "runs.csv")) {
    runs.push_back({.run = std::move(record)});
  }
  for (auto& epoch : csv::read_records<EpochRecord>(out / "epochs.csv")) {
    for (auto& output : runs) {
      if (output.run.run_id == epoch.run_id) output.epochs.push_back(epoch);
    }
  }
  return runs;
}

std::vector<BlockRecord> read_blocks(const fs::path& out) {
  const fs::path file = out / blocks_file;
  if (!fs::exists(file)) return {};
  return csv::read_records<BlockRecord>(file);
}

void write_blocks(const fs::path& out, const std::vector<BlockRecord>& blocks) {
  csv::write_records(out / blocks_file, blocks);
}

std::vector<SessionRecord> read_sessions(const fs::path& out) {
  const fs::path file = out / sessions_file;
  if (!fs::exists(file)) return {};
  return csv::read_records<SessionRecord>(file);
}

void write_sessions(const fs::path& out, const std::vector<SessionRecord>& sessions) {
  csv::write_records(out / sessions_file, sessions);
}

std::vector<PredictionRow> read_predictions(const fs::path& out, const std::string& run_id) {
  const fs::path file = predictions_file(out, run_id);
  if (!fs::exists(file)) return {};
  return csv::read_records<PredictionRow>(file);
}

profile::StepProfile read_profile(const fs::path& folder) {
  profile::StepProfile profile;
  if (!fs::exists(folder / operators_file)) return profile;
  profile.operators = csv::read_records<profile::OperatorRecord>(folder / operators_file);
  profile.convolutions = csv::read_records<profile::ConvolutionRecord>(folder / convolutions_file);
  return profile;
}

}  // namespace mpbench::bench
