#include "weights_origin.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::nn {
namespace {

namespace fs = std::filesystem;

/// Of all networks in timm 1.0.31 with the tensors of ours, those that compute something else.
struct LookalikeName {
  std::string_view part;
  std::string_view difference;
};
constexpr std::array lookalikes{LookalikeName{"resnetblur", "blurred before subsampling"},
                                LookalikeName{"resnetaa", "averaged before subsampling"},
                                LookalikeName{"efficientnet_blur", "blurred before subsampling"}};
constexpr int folders_above = 3;
constexpr std::uintmax_t most_config_bytes = 1 << 20;

/// "architecture" in a file of JSON; empty where there is none.
std::string configured_architecture(const fs::path& config) {
  std::error_code ignored;
  if (!fs::is_regular_file(config, ignored) || fs::file_size(config, ignored) > most_config_bytes) {
    return {};
  }
  std::ifstream file(config, std::ios::binary);
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("architecture")) return {};
  const auto& architecture = json.at("architecture");
  return architecture.is_string() ? architecture.get<std::string>() : std::string();
}

/// In lower case, and with '_' for '-'.
std::string plain(std::string_view text) {
  std::string lower = ascii_lower(text);
  std::replace(lower.begin(), lower.end(), '-', '_');
  return lower;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

void add_names(std::vector<std::string>& hints, fs::path path) {
  for (int i = 0; i <= folders_above && path.has_relative_path(); ++i) {
    hints.push_back(path.filename().string());
    path = path.parent_path();
  }
}

}  // namespace

std::vector<std::string> architecture_hints(const fs::path& path, const std::string& architecture) {
  std::error_code ignored;
  const fs::path given = fs::absolute(path, ignored).lexically_normal();
  const fs::path real = fs::canonical(path, ignored);
  std::vector<std::string> hints{architecture};
  for (const fs::path& place : {given, real}) {
    if (place.empty()) continue;  // a file without a name
    hints.push_back(configured_architecture(place.parent_path() / "config.json"));
  }
  add_names(hints, given);
  if (real != given) add_names(hints, real);
  std::erase(hints, std::string());
  return hints;
}

TimmOrigin find_timm_origin(const std::vector<std::string>& hints) {
  for (const std::string& hint : hints) {
    const std::string text = plain(hint);
    if (has(text, "tf_efficientnet")) return {EfficientNetOrigin::timm_tf, hint};
    if (has(text, "efficientnet_b") || has(text, "efficientnetb")) {
      return {EfficientNetOrigin::timm, hint};
    }
  }
  return {};
}

std::optional<Lookalike> find_lookalike(const std::vector<std::string>& hints) {
  for (const std::string& hint : hints) {
    const std::string text = plain(hint);
    for (const auto& [part, difference] : lookalikes) {
      if (has(text, part)) return Lookalike{hint, std::string(difference)};
    }
    if (has(text, "resnet") || has(text, "efficientnet")) return {};  // a name that is surer
  }
  return {};
}

}  // namespace mpbench::nn
