#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "mpbench/bench/config_hashes.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/bench/sessions.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/data/dataset.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/explain/explain.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv_records.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/profile/machine_rates.hpp"
#include "mpbench/report/explanation_text.hpp"
#include "mpbench/stats/statistics.hpp"
#include "mpbench/train/setup.hpp"
#include "out_folder.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// What the Chrome trace format calls the event that names a process.
constexpr std::string_view process_name_event = "process_name";

/// One session: the arms train in turns, and each profiles some steps.
bench::Measurements measure(const ExplainOptions& options, const bench::Grid& grid,
                            const bench::Configuration& configuration,
                            const ProgressFunction& progress) {
  bench::ConfigHashes hashes(progress);
  for (const bench::Arm& arm : configuration.arms) {
    static_cast<void>(hashes.data_key(arm.config));
  }
  bench::ProcessStarter starter(options.out);
  bench::SpeedOptions speed;
  speed.looks = {1};
  return bench::run_sessions(grid, {configuration}, starter,
                             [&](const train::TrainConfig& run) { return hashes.hash(run); },
                             {.out = options.out,
                              .speed_only = true,
                              .max_time_s = options.timed_s,
                              .speed = speed,
                              .profile_steps = options.profile_steps,
                              .progress = progress});
}

/// Throws Error where the arm's process left no profile.
explain::MeasuredArm measured_arm(const bench::Arm& arm, const bench::Measurements& measured,
                                  const fs::path& out) {
  explain::MeasuredArm result{.name = arm.name};
  for (const bench::RunRecord& run : measured.runs) {
    if (run.arm == arm.name) result.run = run;
  }
  std::vector<double> step_ms;
  std::vector<double> preemptions;
  for (const bench::BlockRecord& block : measured.blocks) {
    if (block.arm != arm.name || block.round == 0 || block.steps == 0) continue;
    const auto steps = static_cast<double>(block.steps);
    step_ms.push_back(1e3 * block.time_s / steps);
    preemptions.push_back(static_cast<double>(block.preemptions) / steps);
  }
  result.profile = bench::read_profile(out / "runs" / result.run.run_id);
  if (step_ms.empty() || result.profile.operators.empty()) {
    throw Error(fmt::format("{} cannot be explained: {}: {}", arm.name,
                            enum_name(result.run.status),
                            result.run.error.empty() ? "it left no profile" : result.run.error));
  }
  result.step_ms = stats::median(step_ms);
  result.preemptions = stats::median(preemptions);
  return result;
}

/// The arms' traces as one: each process is a track of its own.
void write_trace(const fs::path& path, const std::vector<explain::MeasuredArm>& arms,
                 const fs::path& out) {
  nlohmann::json events = nlohmann::json::array();
  for (const explain::MeasuredArm& arm : arms) {
    const fs::path file = out / "runs" / arm.run.run_id / "trace.json";
    const FileBytes bytes(file);
    nlohmann::json trace =
        parse_json({reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()});
    if (!trace.is_object() || !trace.contains("traceEvents")) {
      throw Error(fmt::format("{}: is not a trace", file.string()));
    }
    for (nlohmann::json& event : trace.at("traceEvents")) {
      const bool names = event.value("name", "") == process_name_event;
      if (names) event["args"]["name"] = fmt::format("mpbench {}", arm.name);
      events.push_back(std::move(event));
    }
  }
  write_file(path, nlohmann::json{{"traceEvents", std::move(events)}}.dump());
}

void write_tables(const fs::path& out, const explain::Explanation& explanation,
                  const std::string& json) {
  std::vector<explain::KindRow> kinds;
  for (const explain::ExplainedArm& arm : explanation.arms) {
    kinds.insert(kinds.end(), arm.kinds.begin(), arm.kinds.end());
  }
  csv::write_records(out / "explain.csv", kinds);
  csv::write_records(out / "lost.csv", explanation.lost);
  csv::write_records(out / "causes.csv", explanation.causes);
  write_file(out / "explain.json", json);
}

}  // namespace

ExitCode run_explain(const ExplainOptions& asked, const SharedOptions& shared) {
  ExplainOptions options = asked;
  const auto device = train::choose_device(options.config);  // before anything is written
  options.config.workers = train::workers_of(options.config, device);
  const bench::Grid grid = explained_grid(options, device::default_mixed_precision(device));
  bench::Configuration configuration = bench::make_plan(grid).front();
  std::erase_if(configuration.arms,
                [](const bench::Arm& arm) { return arm.kind == bench::ArmKind::null; });
  options.out = choose_out_folder(options.out, "explain");
  if (fs::exists(options.out / "runs.csv")) {
    throw UsageError(
        fmt::format("{} holds other results: choose another --out", options.out.string()));
  }
  make_writable_folder(options.out);
  add_log_file(options.out / "mpbench.log");
  write_file(options.out / "config.toml", to_toml(options));
  const ProgressFunction progress = make_progress(shared);
  const profile::RatesOptions rates_options{
      .device = device, .threads = options.config.threads, .emulation = options.config.emulation};
  spdlog::info("the machine's rates are measured, where they are not known yet");
  const profile::MachineRates rates =
      profile::known_rates(rates_options, data::user_cache_folder() / "rates");
  const bench::Measurements measured = measure(options, grid, configuration, progress);
  if (interrupt_requested()) throw Interrupted();
  std::vector<explain::MeasuredArm> arms;
  for (const bench::Arm& arm : configuration.arms) {
    arms.push_back(measured_arm(arm, measured, options.out));
  }
  const explain::MeasuredMachine machine{
      .rates = rates,
      .session = measured.sessions.empty() ? bench::SessionRecord{} : measured.sessions.front(),
      .processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))};
  const explain::Explanation explanation = explain::explain(arms, machine);
  const std::string json = report::explanation_json(explanation, rates);
  write_tables(options.out, explanation, json);
  if (!options.trace.empty()) write_trace(options.trace, arms, options.out);
  if (options.json) {
    fmt::print("{}", json);
  } else {
    fmt::print("{}",
               report::explanation_text(explanation, rates, terminal_width(), terminal_colours()));
  }
  spdlog::info("explain.csv, lost.csv, causes.csv and explain.json in {}", options.out.string());
  return ExitCode::done;
}

}  // namespace mpbench::commands
