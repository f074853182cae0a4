#include "mpbench/data/dataset_options.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "dataset_kind.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::data {
namespace {

struct Named {
  std::string_view name;
  DatasetKind kind;
};
constexpr std::array named{
    Named{"rsna", DatasetKind::rsna},          Named{"rsna-png", DatasetKind::rsna_png},
    Named{"folder", DatasetKind::folder},      Named{"cifar100", DatasetKind::cifar100},
    Named{"cifar10", DatasetKind::cifar10},    Named{"idx", DatasetKind::idx},
    Named{"synthetic", DatasetKind::synthetic}};

}  // namespace

std::optional<DatasetKind> parse_kind(const std::string& name) {
  if (name == "auto") return std::nullopt;
  for (const Named& one : named) {
    if (one.name == name) return one.kind;
  }
  throw UsageError(fmt::format(
      "unknown dataset '{}': auto, rsna, rsna-png, folder, cifar100, cifar10, idx or synthetic",
      name));
}

void require_dataset(const std::string& name) { static_cast<void>(parse_kind(name)); }

}  // namespace mpbench::data
