#include "mpbench/data/image_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpbench/core/error.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::data {

ImageDataset take(const ImageDataset& set, std::span<const std::int64_t> indices) {
  ImageDataset taken = set;
  taken.given_split.reset();
  taken.samples.clear();
  auto bytes = std::make_shared<std::vector<std::byte>>();
  bytes->reserve(indices.size() * set.image_bytes());
  std::string identity = set.key;
  for (const auto index : indices) {
    if (index < 0 || index >= set.size()) {
      throw Error(fmt::format("image {} is outside a set of {}", index, set.size()));
    }
    taken.samples.push_back(set.samples[static_cast<std::size_t>(index)]);
    const auto image = set.image(index);
    bytes->insert(bytes->end(), image.begin(), image.end());
    identity += '\n' + taken.samples.back().id;
  }
  taken.pixels = *bytes;
  taken.storage = std::move(bytes);
  taken.key = sha256_hex(identity);
  return taken;
}

}  // namespace mpbench::data
