// Runs a fuzz target over files, without a fuzzer: what the corpus found once is not found again.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "mpbench/io/mapped_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// What scripts/fuzz allows one input. Of the corpus each takes milliseconds.
constexpr std::chrono::seconds most_time{10};
constexpr long most_memory_kb = 2048 * 1024;

/// Whether a file stayed within the limits.
bool replay(const std::filesystem::path& file) {
  // Named before it runs: a crash says nothing of where it was.
  std::printf("%s\n", file.c_str());
  std::fflush(stdout);
  const mpbench::MappedFile mapped(file);
  // A copy, so that a read past its end is noticed.
  const auto* data = reinterpret_cast<const std::uint8_t*>(mapped.bytes().data());
  const std::vector<std::uint8_t> bytes(data, data + mapped.bytes().size());
  const auto begin = std::chrono::steady_clock::now();
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (taken <= most_time && usage.ru_maxrss <= most_memory_kb) return true;
  std::printf("took %.1f s; %ld MB at most until now\n", taken.count(), usage.ru_maxrss / 1024);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  const auto failures =
      std::count_if(files.begin(), files.end(), [](const auto& file) { return !replay(file); });
  std::printf("%zu files, %zu over the limits\n", files.size(), static_cast<std::size_t>(failures));
  return files.empty() || failures > 0 ? 1 : 0;
}
