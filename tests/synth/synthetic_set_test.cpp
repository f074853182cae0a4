#include "mpbench/synth/synthetic_set.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <opencv2/core.hpp>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/mapped_file.hpp"
#include "mpbench/io/sha256.hpp"
#include "support/dicom_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::synth {
namespace {

namespace fs = std::filesystem;

SyntheticSetOptions tiny(const fs::path& out, int patients = 4, std::uint64_t seed = 1) {
  SyntheticSetOptions options;
  options.out = out;
  options.patients = patients;
  options.seed = seed;
  options.height = 96;
  options.width = 80;
  return options;
}

/// SHA-256 of every file by its path within the folder.
std::map<std::string, std::string> digests(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const MappedFile file(entry.path());
    found[fs::relative(entry.path(), folder).string()] = sha256_hex(file.bytes());
  }
  return found;
}

fs::path image_path(const fs::path& set, const csv::Table& table,
                    const std::vector<std::string>& row) {
  return set / "train_images" / row[table.column("patient_id")] /
         (row[table.column("image_id")] + ".dcm");
}

TEST(SyntheticSetTest, SameSeedGivesSameBytesWhateverTheThreads) {
  const TemporaryFolder folder;
  SyntheticSetOptions options = tiny(folder.path() / "a");
  options.threads = 1;
  write_synthetic_set(options);
  options.out = folder.path() / "b";
  options.threads = 3;
  write_synthetic_set(options);
  options.out = folder.path() / "c";
  options.seed = 2;
  write_synthetic_set(options);
  const auto first = digests(folder.path() / "a");
  EXPECT_GT(first.size(), 16U);
  EXPECT_EQ(first, digests(folder.path() / "b"));
  EXPECT_NE(first, digests(folder.path() / "c"));
}

TEST(SyntheticSetTest, TableAndFilesAgree) {
  const TemporaryFolder folder;
  const SyntheticSetSummary summary = write_synthetic_set(tiny(folder.path() / "set", 6));
  const csv::Table table = csv::read(folder.path() / "set" / "train.csv");
  EXPECT_EQ(table.header,
            (std::vector<std::string>{"site_id", "patient_id", "image_id", "laterality", "view",
                                      "age", "cancer", "biopsy", "invasive", "BIRADS", "implant",
                                      "density", "machine_id", "difficult_negative_case"}));
  EXPECT_EQ(static_cast<int>(table.rows.size()), summary.images);
  EXPECT_EQ(digests(folder.path() / "set").size(),
            table.rows.size() + 2);  // train.csv, synthetic.json
  int positive = 0;
  for (const auto& row : table.rows) {
    const dicom::DecodedFrame image =
        dicom::read_stored(image_path(folder.path() / "set", table, row));
    EXPECT_EQ(image.attributes.patient_id, row[table.column("patient_id")]);
    EXPECT_EQ(image.attributes.laterality, row[table.column("laterality")]);
    EXPECT_EQ(image.attributes.view_position, row[table.column("view")]);
    EXPECT_EQ(image.attributes.modality, "MG");
    EXPECT_EQ(image.pixels.size(), cv::Size(80, 96));
    double lowest = 0, highest = 0;
    cv::minMaxLoc(image.pixels, &lowest, &highest);
    EXPECT_LT(highest, 1 << image.attributes.bits_stored);
    EXPECT_GT(highest - lowest, (1 << image.attributes.bits_stored) / 4);
    if (row[table.column("cancer")] == "1") ++positive;
  }
  EXPECT_EQ(positive, summary.positive_images);
}

TEST(SyntheticSetTest, EncodingsHoldTheSamePixels) {
  const TemporaryFolder folder;
  csv::Table table;
  for (const char* syntax : {"explicit-le", "rle", "jpeg-lossless", "jpeg2000", "mixed"}) {
    SyntheticSetOptions options = tiny(folder.path() / syntax, 2);
    options.syntax = parse_synthetic_syntax(syntax);
    write_synthetic_set(options);
    table = csv::read(options.out / "train.csv");
  }
  std::set<std::string> mixed_syntaxes;
  for (const auto& row : table.rows) {
    const dicom::DecodedFrame plain =
        dicom::read_stored(image_path(folder.path() / "explicit-le", table, row));
    EXPECT_EQ(plain.attributes.transfer_syntax, "1.2.840.10008.1.2.1");
    for (const auto& [syntax, uid] :
         std::map<std::string, std::string>{{"rle", "1.2.840.10008.1.2.5"},
                                            {"jpeg-lossless", "1.2.840.10008.1.2.4.70"},
                                            {"jpeg2000", "1.2.840.10008.1.2.4.90"},
                                            {"mixed", ""}}) {
      const dicom::DecodedFrame image =
          dicom::read_stored(image_path(folder.path() / syntax, table, row));
      EXPECT_EQ(cv::norm(image.pixels, plain.pixels, cv::NORM_INF), 0) << syntax;
      EXPECT_EQ(image.attributes.sop_instance_uid, plain.attributes.sop_instance_uid);
      if (syntax == "mixed") {
        mixed_syntaxes.insert(image.attributes.transfer_syntax);
      } else {
        EXPECT_EQ(image.attributes.transfer_syntax, uid);
      }
    }
  }
  EXPECT_EQ(mixed_syntaxes.size(), 4U);
}

TEST(SyntheticSetTest, FourPatientsHaveBothLabels) {
  const TemporaryFolder folder;
  for (const double fraction : {0.001, 0.25, 0.9}) {
    SyntheticSetOptions options = tiny(folder.path() / "set");
    options.positive_fraction = fraction;
    const SyntheticSetSummary summary = write_synthetic_set(options);
    EXPECT_GE(summary.positive_breasts, 2);
    EXPECT_LE(summary.positive_breasts, summary.breasts - 1);
  }
}

TEST(SyntheticSetTest, ReplacesAnEarlierSetOnly) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "set";
  write_synthetic_set(tiny(out, 3));
  write_synthetic_set(tiny(out, 1, 5));
  const csv::Table table = csv::read(out / "train.csv");
  EXPECT_EQ(digests(out).size(), table.rows.size() + 2);

  const fs::path foreign = folder.path() / "foreign";
  fs::create_directory(foreign);
  write_file(foreign / "train.csv", "mine\n");
  EXPECT_THROW(write_synthetic_set(tiny(foreign)), Error);
  write_file(foreign / "synthetic.json", "{\"kind\": \"something else\"}");
  EXPECT_THROW(write_synthetic_set(tiny(foreign)), Error);
  write_file(foreign / "synthetic.json", "[1, 2");
  EXPECT_THROW(write_synthetic_set(tiny(foreign)), Error);
  write_file(foreign / "synthetic.json", "{\"kind\": 7}");
  EXPECT_THROW(write_synthetic_set(tiny(foreign)), Error);
  EXPECT_EQ(digests(foreign).size(), 2U);

  write_file(folder.path() / "file", "x");
  EXPECT_THROW(write_synthetic_set(tiny(folder.path() / "file")), Error);
}

TEST(SyntheticSetTest, InterruptedSetHasNoTable) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "set";
  write_synthetic_set(tiny(out));
  request_interrupt();
  EXPECT_THROW(write_synthetic_set(tiny(out)), Interrupted);
  request_interrupt(false);
  EXPECT_FALSE(fs::exists(out / "train.csv"));
  write_synthetic_set(tiny(out));
  EXPECT_TRUE(fs::exists(out / "train.csv"));
}

TEST(SyntheticSetTest, ReportsProgressToTheEnd) {
  const TemporaryFolder folder;
  Progress last;
  const SyntheticSetSummary summary = write_synthetic_set(
      tiny(folder.path() / "set", 1), [&](const Progress& progress) { last = progress; });
  EXPECT_EQ(last.done, summary.images);
  EXPECT_EQ(last.total, summary.images);
}

TEST(SyntheticSetTest, RefusesOptionsOutOfRange) {
  const TemporaryFolder folder;
  const auto refused = [&](auto change) {
    SyntheticSetOptions options = tiny(folder.path() / "set");
    change(options);
    EXPECT_THROW(write_synthetic_set(options), UsageError);
  };
  refused([](SyntheticSetOptions& o) { o.patients = 0; });
  refused([](SyntheticSetOptions& o) { o.patients = 100001; });
  refused([](SyntheticSetOptions& o) { o.height = 63; });
  refused([](SyntheticSetOptions& o) { o.width = 8193; });
  refused([](SyntheticSetOptions& o) { o.positive_fraction = 0; });
  refused([](SyntheticSetOptions& o) { o.positive_fraction = 1; });
  refused([](SyntheticSetOptions& o) { o.threads = -1; });
  refused([](SyntheticSetOptions& o) { o.out.clear(); });
  EXPECT_THROW(parse_synthetic_syntax("jpeg"), UsageError);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace mpbench::synth
