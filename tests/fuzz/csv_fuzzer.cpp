// A table, read as each of those that users bring (train.csv, test.csv, split.csv) and as each of
// those that a run leaves behind and compare reads back.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../../src/data/formats/rsna.hpp"
#include "attempt.hpp"
#include "memory_folder.hpp"
#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/decision_record.hpp"
#include "mpbench/bench/metric_record.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/data/split.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/csv_records.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::attempt;
using mpbench::fuzz::stated;
namespace data = mpbench::data;
namespace csv = mpbench::csv;
namespace fs = std::filesystem;

mpbench::fuzz::MemoryFolder& folder() {
  static mpbench::fuzz::MemoryFolder folder;
  return folder;
}

void read_table(const fs::path& path) {
  const auto table = mpbench::csv::read(path);
  stated(!table.header.empty());
  for (const auto& row : table.rows) stated(row.size() == table.header.size());
}

void read_rsna(const data::RsnaTable& table) {
  stated(!table.images.empty());
  for (const auto& image : table.images) {
    stated(image.laterality == 'L' || image.laterality == 'R');
    stated(image.cancer == 0 || image.cancer == 1);
    // No id leads out of the folder.
    const auto file = table.file(image);
    stated(file.lexically_normal() == file && file.filename() == image.image_id + ".dcm");
    stated(file.parent_path().parent_path() == table.folder / table.images_folder);
  }
  stated(data::to_manifest(table, "rsna").files.size() == table.images.size());
  const auto limited = data::limit_patients(table, 3);
  stated(!limited.images.empty() && limited.images.size() <= 3);
}

/// The images that the seeds' split.csv names.
const std::vector<data::Sample>& samples() {
  static const std::vector<data::Sample> all = [] {
    std::vector<data::Sample> made;
    for (int i = 0; i < 12; ++i) {
      const auto group = fmt::format("p{}", i / 2);
      made.push_back({fmt::format("{}", i), group, group + "_L", i % 3 == 0 ? 1 : 0});
    }
    return made;
  }();
  return all;
}

void check_split(const data::Split& split) {
  stated(!split.train.empty() && !split.validation.empty());
  std::map<std::string, const void*> side_of_group;
  std::vector<bool> seen(samples().size(), false);
  for (const auto* side : {&split.train, &split.validation, &split.test}) {
    stated(std::is_sorted(side->begin(), side->end()));
    for (const auto index : *side) {
      const auto i = static_cast<std::size_t>(index);
      stated(i < seen.size() && !seen[i]);
      seen[i] = true;
      stated(side_of_group.try_emplace(samples()[i].group, side).first->second == side);
    }
  }
}

template <class Record>
void read_records(const fs::path& path) {
  const auto records = csv::read_records<Record>(path);
  const auto text = csv::to_text(std::span<const Record>(records));
  const auto again = csv::read_records<Record>(folder().write("again.csv", text));
  stated(csv::to_text(std::span<const Record>(again)) == text);
}

/// Warnings, one an input, would be most of the log.
[[maybe_unused]] const bool is_quiet = [] {
  mpbench::start_logging("error", true);
  return true;
}();

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = std::as_bytes(std::span(bytes, size));
  const auto path = folder().write("train.csv", input);
  folder().write("test.csv", input);
  attempt([&] { read_table(path); });
  attempt([] { read_rsna(data::read_rsna_table(folder().path())); });
  attempt([] { read_rsna(data::read_rsna_test_table(folder().path())); });
  for (const bool is_limited : {false, true}) {
    attempt([&] { check_split(data::read_split_csv(path, samples(), is_limited)); });
    attempt([&] {
      for (const auto& fold : data::read_folds_csv(path, samples(), 3, is_limited)) {
        check_split(fold);
      }
    });
  }
  attempt([&] { read_records<mpbench::bench::RunRecord>(path); });
  attempt([&] { read_records<mpbench::bench::EpochRecord>(path); });
  attempt([&] { read_records<mpbench::bench::PredictionRow>(path); });
  attempt([&] { read_records<mpbench::bench::BlockRecord>(path); });
  attempt([&] { read_records<mpbench::bench::SessionRecord>(path); });
  attempt([&] { read_records<mpbench::bench::Comparison>(path); });
  attempt([&] { read_records<mpbench::bench::MetricRecord>(path); });
  attempt([&] { read_records<mpbench::bench::DecisionRecord>(path); });
  attempt([&] { read_records<mpbench::bench::FlipRecord>(path); });
  return 0;
}
