#include <gtest/gtest.h>
#include <torch/types.h>

#include "../../src/nn/torch_file/pth_file.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "support/memory_file.hpp"
#include "support/pth_bytes.hpp"

namespace mpbench::nn {
namespace {

using namespace std::string_literals;

/// A file with all that a training checkpoint has, so that a change can hit any of it.
std::string everything() {
  const std::string hooks = pickle::ordered_dict();
  return pth_archive(
      pickle::dict(
          {{"epoch", "K\x05"},
           {"arch", pickle::text("resnet18")},
           {"best", "G?\xb9\x99\x99\x99\x99\x99\x9a"},
           {"betas", pickle::tuple({"K\x01", "M\x00\x01"s})},
           {"history", "](K\x01K\x02"s + "e"},
           {"args",
            pickle::name("argparse", "Namespace") + ")\x81}" + pickle::text("lr") + "K\x01sb"},
           {"steps", "\x8f(K\x01K\x02\x90"s},
           {"model",
            pickle::dict(
                {{"w", pickle::tensor({.elements = 6}, {2, 3}, {3, 1})},
                 {"p", pickle::call(pickle::name("torch._utils", "_rebuild_parameter"),
                                    {pickle::tensor({.elements = 6}, {3}, {2}, 1), "\x88", hooks})},
                 {"n", pickle::tensor({.key = "1", .elements = 1, .type = "LongStorage"}, {}, {})},
                 {"b",
                  pickle::tensor({.key = "2", .elements = 3, .type = "BoolStorage"}, {3}, {1})}}) +
                "}q\x00"s + pickle::text("_metadata") + "}sb"}}),
      {six, number_bytes(std::int64_t{3}), "\x00\x01\x01"s});
}

/// Whether a file was read; anything but a whole StateDict or an Error ends the test.
bool survives(const MemoryFile& file, const std::string& bytes) {
  try {
    for (const auto& [name, tensor] : read_pth_file(file.write(bytes)).tensors) {
      // Touches every element.
      (void)tensor.to(at::kDouble).sum().item<double>();
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

TEST(PthFileDamageTest, TakesOrRefusesAnyTruncation) {
  const MemoryFile file;
  const std::string bytes = everything();
  ASSERT_TRUE(survives(file, bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(survives(file, bytes.substr(0, size))) << size;
  }
}

TEST(PthFileDamageTest, TakesOrRefusesAnyChange) {
  const MemoryFile file;
  const std::string bytes = everything();
  SplitMix64 random(5);
  int taken = 0;
  constexpr int times = 10'000;
  for (int i = 0; i < times; ++i) {
    std::string changed = bytes;
    const std::uint64_t changes = 1 + draw_below(random, 4);
    for (std::uint64_t j = 0; j < changes; ++j) {
      const std::size_t at = draw_below(random, changed.size());
      switch (draw_below(random, 4)) {
        case 0:
          changed[at] = static_cast<char>(draw_below(random, 256));
          break;
        case 1:  // the values at which comparisons go wrong
          changed[at] = "\x00\x01\x7f\x80\xff"s[draw_below(random, 5)];
          break;
        case 2:
          changed.erase(at, 1 + draw_below(random, 8));
          break;
        default:
          changed.insert(
              at, changed.substr(draw_below(random, changed.size()), 1 + draw_below(random, 8)));
      }
    }
    taken += survives(file, changed) ? 1 : 0;
  }
  // Changes to padding, dates and local headers are nobody's business; the rest are noticed.
  EXPECT_GT(taken, times / 50);
  EXPECT_LT(taken, times / 2);
}

TEST(PthFileDamageTest, TakesOrRefusesAnyChangeOfThePickle) {
  // The checksums are right here, so that every change reaches the unpickler.
  const MemoryFile file;
  const std::string bytes = everything();
  const std::size_t begin = bytes.find(
      "\x80\x02"
      "c");
  const std::string pickled = bytes.substr(begin, bytes.find("PK\x07\x08", begin) - begin);
  const std::string storage = number_bytes(std::int64_t{3});
  SplitMix64 random(6);
  constexpr std::string_view operations =
      ".012(NKMJGXQRabcdehijlpqrstu}])"
      "\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x93\x94\x95";
  int taken = 0;
  constexpr int times = 10'000;
  for (int i = 0; i < times; ++i) {
    std::string changed = pickled;
    const std::uint64_t changes = 1 + draw_below(random, 3);
    for (std::uint64_t j = 0; j < changes; ++j) {
      const std::size_t at = draw_below(random, changed.size());
      switch (draw_below(random, 5)) {
        case 0:
          changed[at] = static_cast<char>(draw_below(random, 256));
          break;
        case 1:
          changed[at] = operations[draw_below(random, operations.size())];
          break;
        case 2:
          changed[at] = "\x00\x01\x7f\x80\xff"s[draw_below(random, 5)];
          break;
        case 3:
          changed.erase(at, 1 + draw_below(random, 12));
          break;
        default:
          changed.insert(
              at, changed.substr(draw_below(random, changed.size()), 1 + draw_below(random, 40)));
      }
    }
    taken += survives(file, zip_archive({{"net/data.pkl", changed},
                                         {"net/data/0", six},
                                         {"net/data/1", storage},
                                         {"net/data/2", "\x00\x01\x01"s}}))
                 ? 1
                 : 0;
  }
  EXPECT_GT(taken, times / 50);
  EXPECT_LT(taken, times / 2);
}

}  // namespace
}  // namespace mpbench::nn
