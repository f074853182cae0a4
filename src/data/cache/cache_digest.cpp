#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cache_format.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/parallel_for.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::data {

std::vector<std::byte> from_hex(const std::string& digits) {
  std::vector<std::byte> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    const char* begin = digits.data() + 2 * i;
    std::from_chars(begin, begin + 2, value, 16);
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
}

std::string preparation_json(const std::filesystem::path& path,
                             const image::Preparation& preparation) {
  const cv::Rect& crop = preparation.crop;
  const nlohmann::json json{{"path", path.generic_string()},
                            {"window", preparation.window},
                            {"crop", {crop.x, crop.y, crop.width, crop.height}},
                            {"breast_found", preparation.breast_found},
                            {"reduction", preparation.reduction},
                            {"notes", preparation.notes}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string table_digest(const safetensors::Metadata& metadata,
                         const std::vector<std::span<const std::byte>>& tables) {
  std::string digests;
  for (const auto& [name, value] : metadata) {
    digests += fmt::format("{} {}\n", sha256_hex(name), sha256_hex(value));
  }
  for (const auto& table : tables) digests += sha256_hex(table) + '\n';
  return sha256_hex(digests);
}

void verify_images(const std::filesystem::path& path, const ImageDataset& set,
                   std::span<const std::byte> digests) {
  const auto count = static_cast<std::size_t>(set.size());
  if (digests.size() != count * digest_bytes) {
    throw InputError(path, "digests", fmt::format("they are not those of {} images", count));
  }
  std::atomic<std::size_t> damaged = count;  // the first
  parallel_for(count, 0, [&](std::size_t i) {
    if (i > damaged) return;
    const auto digest = from_hex(sha256_hex(set.image(static_cast<std::int64_t>(i))));
    if (std::ranges::equal(digest, digests.subspan(i * digest_bytes, digest_bytes))) return;
    std::size_t first = damaged;
    while (i < first && !damaged.compare_exchange_weak(first, i)) {
    }
  });
  if (damaged < count) {
    throw InputError(path, "images",
                     fmt::format("image {} is damaged (its digest differs): run mpbench preprocess "
                                 "again",
                                 set.samples[damaged].id));
  }
}

}  // namespace mpbench::data
