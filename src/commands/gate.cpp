#include "gate.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/report/junit.hpp"
#include "mpbench/report/markdown.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// What a file holds; nothing where it is not there.
std::string text_in(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const FileBytes content(file);
  return {reinterpret_cast<const char*>(content.bytes().data()), content.bytes().size()};
}

/// Adds to a file's end; who reads it sees all of the addition or none.
void add_to_file(const fs::path& file, const std::string& text) {
  std::string whole = text_in(file);
  if (!whole.empty()) whole += whole.ends_with('\n') ? "\n" : "\n\n";
  // A link stays one.
  write_file(fs::exists(file) ? fs::canonical(file) : file, whole + text);
}

}  // namespace

void prepare_gate_files(const GateFiles& files) {
  for (const fs::path& file : {files.junit, files.step_summary}) {
    if (file.empty()) continue;
    if (fs::is_directory(file)) {
      throw Error(fmt::format("{}: cannot write: it is a folder", file.string()));
    }
    make_writable_folder(containing_folder(file));
  }
  if (!files.step_summary.empty()) static_cast<void>(text_in(files.step_summary));
}

bool tell_requirements(std::span<const bench::RequirementResult> results) {
  bool all_hold = true;
  for (const bench::RequirementResult& each : results) {
    all_hold = all_hold && each.result.holds;
    const std::string line = bench::requirement_line(each);
    if (each.result.holds) {
      spdlog::info("requirement met: {}", line);
    } else {
      spdlog::error("requirement not met: {}", line);
    }
  }
  return all_hold;
}

void write_gate_files(const GateFiles& files, const GateReport& told) {
  const bool is_asked = !told.requirements.empty();
  if (!files.junit.empty()) {
    write_file(files.junit, report::junit_xml(is_asked ? told.requirements : told.outcomes));
  }
  if (files.step_summary.empty()) return;
  std::string text = is_asked ? report::requirements_markdown(told.requirements) + '\n' : "";
  add_to_file(files.step_summary, text + told.markdown);
}

}  // namespace mpbench::commands
