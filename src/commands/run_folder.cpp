#include "run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/report/csv_table.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

fs::path predictions_file(const fs::path& out, const std::string& run_id) {
  return out / "predictions" / (run_id + ".csv");
}

/// Rows are the true classes, columns the predicted ones.
void write_confusion(const fs::path& path, const bench::RunOutput& output) {
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

}  // namespace

fs::path choose_out_folder(const fs::path& chosen, const std::string& command) {
  if (!chosen.empty()) return chosen;
  return fmt::format("mpbench-out/{}-{:%Y%m%d-%H%M%S}", command,
                     fmt::localtime(std::time(nullptr)));
}

void write_runs(const fs::path& out, const std::vector<bench::RunOutput>& runs) {
  std::vector<bench::RunRecord> records;
  std::vector<bench::EpochRecord> epochs;
  for (const auto& output : runs) {
    records.push_back(output.run);
    epochs.insert(epochs.end(), output.epochs.begin(), output.epochs.end());
    if (output.predictions.empty()) continue;
    fs::create_directories(out / "predictions");
    report::write_csv(predictions_file(out, output.run.run_id), output.predictions);
    if (output.confusion.classes == 0) continue;
    fs::create_directories(out / "confusion");
    write_confusion(out / "confusion" / (output.run.run_id + ".csv"), output);
  }
  report::write_csv(out / "epochs.csv", epochs);
  report::write_csv(out / "runs.csv", records);
}

std::vector<bench::RunOutput> read_runs(const fs::path& out) {
  if (!fs::exists(out / "runs.csv")) return {};
  std::vector<bench::RunOutput> runs;
  for (auto& record : report::read_csv<bench::RunRecord>(out / "runs.csv")) {
    runs.push_back({.run = std::move(record)});
  }
  for (auto& epoch : report::read_csv<bench::EpochRecord>(out / "epochs.csv")) {
    for (auto& output : runs) {
      if (output.run.run_id == epoch.run_id) output.epochs.push_back(epoch);
    }
  }
  return runs;
}

std::vector<bench::PredictionRow> read_predictions(const fs::path& out, const std::string& run_id) {
  const fs::path file = predictions_file(out, run_id);
  if (!fs::exists(file)) return {};
  return report::read_csv<bench::PredictionRow>(file);
}

}  // namespace mpbench::commands
