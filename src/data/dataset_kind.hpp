#pragma once

#include <optional>
#include <string>

#include "mpbench/data/dataset_options.hpp"

namespace mpbench::data {

/// What a path is, as far as its names tell.
///
/// rsna_png is asked for by name, or found out when rsna's images are looked for: until then both
/// are rsna.
enum class DatasetKind { cache, rsna, rsna_png, synthetic, idx, cifar10, cifar100, folder };

/// "RSNA folder", "idx folder", ...
const char* describe(DatasetKind kind);

/// The kind of that name; nothing for "auto". Throws UsageError for an unknown name.
std::optional<DatasetKind> parse_kind(const std::string& name);

/// What the user says it is, or what it looks like where that is left open. Throws UsageError for
/// an unknown name and a name without a path, InputError for a path that is nothing known, or two
/// things at once.
DatasetKind choose_kind(const DatasetOptions& options);

}  // namespace mpbench::data
