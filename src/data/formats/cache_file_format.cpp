#include <fmt/format.h>

#include "../cache/cache.hpp"
#include "../subset.hpp"
#include "dataset_format.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {

ImageDataset open_cache_file(const DatasetOptions& options) {
  auto set = open_cache(options.path);
  if ((options.height > 0 && options.height != set.height) ||
      (options.width > 0 && options.width != set.width)) {
    throw UsageError(
        fmt::format("{} holds images of {} x {}, not {} x {}: run mpbench preprocess "
                    "for another size",
                    options.path.string(), set.height, set.width, options.height, options.width));
  }
  const DatasetFormat* format = find_format(set.dataset);
  const bool laid_out_as_asked = format != nullptr && options.dataset == format->laid_out_as;
  if (!options.is_automatic() && options.dataset != set.dataset && !laid_out_as_asked) {
    throw UsageError(fmt::format("{} is a cache of dataset '{}', not '{}'", options.path.string(),
                                 set.dataset, options.dataset));
  }
  // As those of a table, where the images of a patient belong together.
  return format == nullptr || format->has_cases ? limit_patients(set, options.limit)
                                                : limit_classes(set, options.limit);
}

const DatasetFormat cache_format{
    .name = "cache", .description = "cache", .read = [](const DatasetOptions& options) {
      auto set = open_cache_file(options);
      if (!is_labelled(set)) {
        throw InputError(options.path, "labels",
                         "there are none: mpbench predict alone can use it");
      }
      return set;
    }};

}  // namespace mpbench::data
