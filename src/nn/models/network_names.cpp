#include "network_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "../weights/timm_names.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "network_entry.hpp"

namespace mpbench::nn {
namespace {

constexpr std::string_view timm_stem = "conv_stem.weight";
constexpr std::string_view timm_block = "blocks.0.0.conv_dw.weight";
constexpr std::size_t most_candidates = 64;
// What the first part of a name has in it that is of the loss, or of a metric.
constexpr std::array<std::string_view, 7> loss_words{"loss",     "criteri",   "metric", "auroc",
                                                     "accuracy", "confusion", "f1score"};

bool ends_at_a_module(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) &&
         (name.size() == suffix.size() || name[name.size() - suffix.size() - 1] == '.');
}

/// The name in the model of a name in a file, which may be timm's.
std::string own_name(const std::string& name, bool is_efficientnet) {
  if (!is_efficientnet) return name;
  return torchvision_efficientnet_name(name).value_or(name);
}

class Names {
 public:
  Names(StateDict& state, const ImageClassifier& model, const std::filesystem::path& path)
      : state_(state), path_(path), head_(model.head()) {
    for (const auto& [name, tensor] : state_of(model)) own_.insert(name);
    is_efficientnet_ = own_.contains("features.0.0.weight");
    head_root_ = head_.substr(0, head_.find('.')) + ".";
  }

  void take_prefix() {
    const std::vector<std::string> fitting = fitting_prefixes();
    if (fitting.empty()) return;
    const std::string& taken = choose(fitting);
    if (fitting.size() > 1) {
      std::vector<std::string> others = fitting;
      std::erase(others, taken);
      changes.notes.push_back(
          fmt::format("{}; the file also has '{}'",
                      taken.empty() ? "the network without a prefix" : "the averaged weights",
                      fmt::join(others, "', '")));
    }
    TensorsByName network;
    for (const auto& [name, tensor] : state_.tensors) {
      const bool is_others = taken.empty() && is_under_any(name, fitting);
      if (name.starts_with(taken) && !is_others) {
        network.emplace(name.substr(taken.size()), tensor);
      } else {
        state_.skipped.push_back(name);
      }
    }
    state_.tensors = std::move(network);
    state_.prefix += taken;
  }

  void translate_timm() {
    if (!is_efficientnet_ || !state_.tensors.contains(std::string(timm_stem))) return;
    TensorsByName translated;
    for (const auto& [name, tensor] : state_.tensors) {
      if (!translated.emplace(own_name(name, true), tensor).second) {
        throw InputError(path_, name, "the file has it under two names");
      }
    }
    state_.tensors = std::move(translated);
    changes.from_timm = true;
  }

  /// Of torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(...)) in the head's place, and the
  /// other way round.
  void rename_head() {
    std::vector<std::string> parts;
    for (const auto& [name, tensor] : state_.tensors) {
      if (name.starts_with(head_root_)) parts.push_back(name);
    }
    const auto weight = std::find_if(parts.begin(), parts.end(), [](const std::string& name) {
      return name.ends_with(".weight");
    });
    if (weight == parts.end() || parts.size() > 2) return;
    const std::string layer = weight->substr(0, weight->rfind('.'));
    const bool one_layer = std::all_of(parts.begin(), parts.end(), [&](const std::string& name) {
      return name == layer + ".weight" || name == layer + ".bias";
    });
    if (!one_layer || layer == head_) return;
    for (const std::string& name : parts) {
      auto node = state_.tensors.extract(name);
      node.key() = head_ + name.substr(layer.size());
      state_.tensors.insert(std::move(node));
    }
    changes.notes.push_back(fmt::format("head {} taken for {}", layer, head_));
  }

  void drop_losses() {
    std::set<std::string, std::less<>> own_roots;
    for (const std::string& name : own_) own_roots.insert(name.substr(0, name.find('.')));
    for (auto entry = state_.tensors.begin(); entry != state_.tensors.end();) {
      const std::string& name = entry->first;
      const bool drop = !own_roots.contains(std::string_view(name).substr(0, name.find('.'))) &&
                        is_of_a_loss(name);
      if (drop) state_.skipped.push_back(name);
      entry = drop ? state_.tensors.erase(entry) : std::next(entry);
    }
  }

  NameChanges changes;

 private:
  /// The prefixes under which the file has at least half of the network: of the places that end in
  /// one of its names.
  std::vector<std::string> fitting_prefixes() const {
    const auto backbone = [&](const std::string& name) {
      return !name.starts_with(head_root_) && !name.ends_with(".num_batches_tracked");
    };
    std::string longest;
    std::size_t wanted = 0;
    for (const std::string& name : own_) {
      if (!backbone(name)) continue;
      ++wanted;
      if (name.ends_with(".weight") && name.size() > longest.size()) longest = name;
    }
    std::vector<std::string> fitting;
    std::size_t candidates = 0;
    for (const auto& [name, tensor] : state_.tensors) {
      std::string_view end;
      if (ends_at_a_module(name, longest)) end = longest;
      if (is_efficientnet_ && ends_at_a_module(name, timm_block)) end = timm_block;
      if (end.empty() || ++candidates > most_candidates) continue;
      const std::string prefix = name.substr(0, name.size() - end.size());
      std::size_t found = 0;
      for (auto entry = state_.tensors.lower_bound(prefix);
           entry != state_.tensors.end() && entry->first.starts_with(prefix); ++entry) {
        const std::string own = own_name(entry->first.substr(prefix.size()), is_efficientnet_);
        if (backbone(own) && own_.contains(own)) ++found;
      }
      if (2 * found >= wanted) fitting.push_back(prefix);
    }
    return fitting;
  }

  /// The averaged weights, or the network without a prefix.
  const std::string& choose(const std::vector<std::string>& fitting) const {
    if (fitting.size() == 1) return fitting.front();
    const auto count = std::count_if(fitting.begin(), fitting.end(), names_an_average);
    if (count == 1) return *std::find_if(fitting.begin(), fitting.end(), names_an_average);
    const auto plain = std::find(fitting.begin(), fitting.end(), std::string());
    if (plain != fitting.end()) return *plain;
    throw InputError(
        path_, "names",
        fmt::format("the file has several such networks, under '{}'; in Python, save the one that "
                    "is meant: torch.save({{k.removeprefix(p): v for k, v in state_dict.items() if "
                    "k.startswith(p)}}, path)",
                    fmt::join(fitting, "', '")));
  }

  static bool is_under_any(const std::string& name, const std::vector<std::string>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
      return !prefix.empty() && name.starts_with(prefix);
    });
  }

  static bool is_of_a_loss(std::string_view name) {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    if (last == "pos_weight" || last == "class_weight" || last == "class_weights") return true;
    const std::string first = ascii_lower(name.substr(0, name.find('.')));
    return std::any_of(loss_words.begin(), loss_words.end(), [&](std::string_view word) {
      return first.find(word) != std::string::npos;
    });
  }

  StateDict& state_;
  const std::filesystem::path& path_;
  std::string head_;
  std::string head_root_;
  std::set<std::string> own_;
  bool is_efficientnet_ = false;
};

}  // namespace

NameChanges fit_names(StateDict& state, const ImageClassifier& model,
                      const std::filesystem::path& path) {
  Names names(state, model, path);
  names.take_prefix();
  names.translate_timm();
  names.rename_head();
  names.drop_losses();
  return names.changes;
}

}  // namespace mpbench::nn
