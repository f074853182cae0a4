#include "mpbench/profile/machine_rates.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "support/temporary_folder.hpp"

namespace mpbench::profile {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

TEST(MachineRatesTest, AreMeasuredOnceAndKept) {
  const TemporaryFolder folder;
  const RatesOptions options{.threads = 1};
  const MachineRates measured = known_rates(options, folder.path());
  for (const Precision each : {Precision::fp32, Precision::bf16, Precision::fp16}) {
    ASSERT_TRUE(measured.gflop_per_s(each));
    EXPECT_GT(*measured.gflop_per_s(each), 0);
  }
  EXPECT_FALSE(measured.gflop_per_s(Precision::tf32));  // not on a CPU
  EXPECT_GT(measured.copy_gb_per_s, 0);
  // The same figures to the last bit: read, and not measured again.
  const MachineRates again = known_rates(options, folder.path());
  EXPECT_EQ(again.copy_gb_per_s, measured.copy_gb_per_s);
  EXPECT_EQ(again.gflop_per_s(Precision::bf16), measured.gflop_per_s(Precision::bf16));
  ASSERT_EQ(files_in(folder.path()).size(), 1U);
}

TEST(MachineRatesTest, AFileThatIsNoneIsMeasuredAgain) {
  const TemporaryFolder folder;
  const RatesOptions options{.threads = 1};
  static_cast<void>(known_rates(options, folder.path()));
  const fs::path file = files_in(folder.path()).front();
  for (const char* text : {"{", R"({"machine": "another", "copy_gb_per_s": 1})"}) {
    std::ofstream(file, std::ios::trunc) << text;
    EXPECT_GT(known_rates(options, folder.path()).copy_gb_per_s, 0) << text;
  }
}

}  // namespace
}  // namespace mpbench::profile
