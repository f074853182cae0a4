#include "mpbench/data/preprocess.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <opencv2/core.hpp>

#include "../../src/data/cache/cache.hpp"
#include "../../src/data/formats/rsna.hpp"
#include "../../src/mammo/breast_roi.hpp"
#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/dicom/display.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/io/sha256.hpp"
#include "mpbench/mammo/mammogram.hpp"
#include "mpbench/synth/synthetic_set.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PreprocessTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<TemporaryFolder>();
    synth::write_synthetic_set({.out = original_->path() / "set",
                                .patients = 4,
                                .seed = 3,
                                .height = 128,
                                .width = 96,
                                .threads = 1});
  }
  static void TearDownTestSuite() { original_.reset(); }
  void SetUp() override {
    fs::copy(original_->path() / "set", data_, fs::copy_options::recursive);
    table_ = to_manifest(read_rsna_table(data_), "synthetic");
    options_.height = 32;
    options_.width = 24;
    options_.preparation = mammo::mammogram_preparation(false);
  }
  void TearDown() override { request_interrupt(false); }

  PreprocessSummary run(const ProgressFunction& progress = {}) const {
    const auto prepare = [this](const fs::path& path) {
      return mammo::prepare_mammogram(path, options_.height, options_.width, false);
    };
    return preprocess(table_, cache_, options_, prepare, progress);
  }
  /// Runs until Ctrl-C comes after a few images.
  void run_interrupted() {
    options_.workers = 1;
    EXPECT_THROW(run([&](const Progress&) { request_interrupt(); }), Interrupted);
    request_interrupt(false);
  }

  static std::unique_ptr<TemporaryFolder> original_;
  TemporaryFolder folder_;
  fs::path data_ = folder_.path() / "set";
  fs::path cache_ = folder_.path() / "out" / "cache.safetensors";
  ImageManifest table_;
  PreprocessOptions options_;
};
std::unique_ptr<TemporaryFolder> PreprocessTest::original_;

TEST_F(PreprocessTest, MakesACacheOfEveryImage) {
  const auto summary = run();
  EXPECT_EQ(summary.images, static_cast<std::int64_t>(table_.files.size()));
  EXPECT_TRUE(summary.quarantined.empty());
  EXPECT_FALSE(fs::exists(cache_.parent_path() / "quarantine.csv"));
  const auto set = open_cache(cache_);
  ASSERT_EQ(set.size(), summary.images);
  EXPECT_EQ(set.height, 32);
  EXPECT_EQ(set.width, 24);
  EXPECT_EQ(set.key, preprocess_key(table_, options_));
  for (std::size_t i = 0; i < table_.files.size(); ++i) {
    EXPECT_EQ(set.samples[i].id, table_.files[i].sample.id);
    EXPECT_EQ(set.samples[i].label, table_.files[i].sample.label);
    const auto image = set.image(static_cast<std::int64_t>(i));
    EXPECT_GT(std::to_integer<int>(*std::max_element(image.begin(), image.end())), 100)
        << "a breast is bright";
  }
  const safetensors::File file(cache_);
  const auto digests = file.bytes("digests");
  const auto wanted = sha256_hex(set.image(1));
  std::string digits;
  for (std::size_t i = 0; i < 32; ++i) {
    digits += fmt::format("{:02x}", std::to_integer<int>(digests[32 + i]));
  }
  EXPECT_EQ(digits, wanted);
}

TEST_F(PreprocessTest, HasTheKeyOfEarlierVersions) {
  const ImageManifest table{.dataset = "rsna",
                            .folder = data_,
                            .classes = {"negative", "cancer"},
                            .files = {{"no/such.dcm", {"id", "patient", "unit", 1}}}};
  EXPECT_EQ(preprocess_key(table, options_),
            "17980c48e42508a2ffa64b798702c780fdbf0fe8b4f30d5743084a2a2034e013");
}

TEST_F(PreprocessTest, StoresTheDisplayedBreast) {
  options_.pixel_type = PixelType::u16;
  options_.height = 400;  // larger than any crop: what is stored is the crop, enlarged
  options_.width = 400;
  table_.files.resize(3);
  run();
  const auto set = open_cache(cache_);
  EXPECT_EQ(set.pixel_type, PixelType::u16);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto display =
        dicom::to_display(dicom::DicomImage(table_.file(static_cast<std::size_t>(i))).read());
    const auto box = mammo::find_breast(display.pixels).box;
    const double crop_mean = cv::mean(display.pixels(box))[0];
    const auto* values = reinterpret_cast<const std::uint16_t*>(set.image(i).data());
    const double sum = std::accumulate(values, values + set.image_values(), 0.0) / 65535;
    const double scale = std::min(400.0 / box.height, 400.0 / box.width);
    EXPECT_NEAR(sum / (box.area() * scale * scale), crop_mean, 0.02 * crop_mean);
  }
}

TEST_F(PreprocessTest, DoesNotDependOnTheNumberOfWorkers) {
  options_.workers = 1;
  run();
  const auto one = read_all(cache_);
  fs::remove(cache_);
  options_.workers = 3;
  run();
  EXPECT_EQ(read_all(cache_), one);
}

TEST_F(PreprocessTest, NamesWhatFailedAndGoesOn) {
  const auto truncated = table_.file(1);
  fs::resize_file(truncated, 300);
  const auto missing = table_.file(4);
  fs::remove(missing);
  write_file(table_.file(2), "this is no DICOM file");
  const auto summary = run();
  EXPECT_EQ(summary.images, static_cast<std::int64_t>(table_.files.size()) - 3);
  ASSERT_EQ(summary.quarantined.size(), 3U);
  EXPECT_EQ(summary.quarantined[0].path, truncated);
  const auto csv = csv::read(cache_.parent_path() / "quarantine.csv");
  EXPECT_EQ(csv.header, (std::vector<std::string>{"path", "field", "problem"}));
  ASSERT_EQ(csv.rows.size(), 3U);
  EXPECT_EQ(csv.rows[2][0], missing.string());
  EXPECT_EQ(csv.rows[2][2], "there is no such file");
  const auto set = open_cache(cache_);
  EXPECT_EQ(set.samples[0].id, table_.files[0].sample.id);
  EXPECT_EQ(set.samples[1].id, table_.files[3].sample.id);
  EXPECT_EQ(read_cache_info(cache_).left_out, 3);

  const auto again = run();
  EXPECT_TRUE(again.up_to_date);
  ASSERT_EQ(again.quarantined.size(), 3U) << "an up-to-date cache still says what it lacks";
  EXPECT_EQ(again.quarantined[0].path, truncated);
}

TEST_F(PreprocessTest, FailsWhenEverythingFails) {
  for (std::size_t i = 0; i < table_.files.size(); ++i) write_file(table_.file(i), "no");
  EXPECT_THAT([&] { run(); },
              ThrowsWith<Error>(fmt::format("all {} inputs failed", table_.files.size())));
  EXPECT_FALSE(fs::exists(cache_));
  EXPECT_TRUE(fs::exists(cache_.parent_path() / "quarantine.csv"));
}

TEST_F(PreprocessTest, KnowsWhatIsUpToDate) {
  EXPECT_FALSE(run().up_to_date);
  const auto made = fs::last_write_time(cache_);
  EXPECT_TRUE(run().up_to_date);
  EXPECT_EQ(fs::last_write_time(cache_), made);
  options_.width = 25;
  EXPECT_FALSE(run().up_to_date) << "another size";
  fs::last_write_time(table_.file(0), fs::file_time_type::clock::now());
  EXPECT_FALSE(run().up_to_date) << "an input changed since";
  EXPECT_TRUE(run().up_to_date);
}

TEST_F(PreprocessTest, GoesOnWhereItWasInterrupted) {
  run();
  const auto whole = read_all(cache_);
  fs::remove(cache_);

  run_interrupted();
  EXPECT_FALSE(fs::exists(cache_));
  const fs::path part = cache_.string() + ".part";
  const fs::path journal = part.string() + ".journal";
  const auto lines = read_all(journal);
  ASSERT_GT(std::count(lines.begin(), lines.end(), '\n'), 2) << "nothing was done before Ctrl-C";
  // As a kill in the middle of a line, and a crash that lost a page of the first image, would leave
  // it.
  write_file(journal, lines + "[9,\"ab");
  const auto first = std::stoul(lines.substr(lines.find('[') + 1));
  std::fstream(part, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(first * 32 * 24 + 5))
      .put('\x55')
      .put('\x56');

  const auto summary = run();
  EXPECT_EQ(summary.resumed, std::count(lines.begin(), lines.end(), '\n') - 2);
  EXPECT_EQ(summary.images, static_cast<std::int64_t>(table_.files.size()));
  EXPECT_EQ(read_all(cache_), whole);
  EXPECT_FALSE(fs::exists(part));
  EXPECT_FALSE(fs::exists(journal));
}

TEST_F(PreprocessTest, StartsAnewForOtherOptions) {
  run_interrupted();
  options_.height = 40;
  EXPECT_EQ(run().resumed, 0);
  EXPECT_EQ(open_cache(cache_).height, 40);
}

TEST_F(PreprocessTest, DoesImagesAgainThatChangedSince) {
  run_interrupted();
  for (std::size_t i = 0; i < table_.files.size(); ++i) {
    fs::last_write_time(table_.file(i), fs::file_time_type::clock::now());
  }
  EXPECT_EQ(run().resumed, 0);
}

TEST_F(PreprocessTest, RefusesASecondWriter) {
  bool tried = false;
  run([&](const Progress&) {
    if (std::exchange(tried, true)) return;
    EXPECT_THAT([&] { run(); }, ThrowsWith<Error>("another process is writing this cache"));
  });
  EXPECT_TRUE(tried);
  EXPECT_TRUE(run().up_to_date);
}

TEST_F(PreprocessTest, RemovesTheCopyThatAKilledRunLeft) {
  fs::create_directories(cache_.parent_path());
  const auto stale = cache_.parent_path() / ".cache.safetensors.12345.tmp";
  write_file(stale, "half");
  run();
  EXPECT_FALSE(fs::exists(stale));
}

TEST_F(PreprocessTest, ReplacesOnlyCaches) {
  fs::create_directories(cache_.parent_path());
  write_file(cache_, "my thesis");
  EXPECT_THROW(run(), Error);
  EXPECT_EQ(read_all(cache_), "my thesis");
  fs::remove(cache_);
  run();
  fs::resize_file(cache_, fs::file_size(cache_) - 10);
  EXPECT_FALSE(run().up_to_date) << "a truncated cache is made again";
  open_cache(cache_);
}

TEST_F(PreprocessTest, RefusesSizesThatMakeNoSense) {
  options_.height = 0;
  EXPECT_THROW(run(), UsageError);
  options_.height = 100000;
  EXPECT_THROW(run(), UsageError);
}

}  // namespace
}  // namespace mpbench::data
