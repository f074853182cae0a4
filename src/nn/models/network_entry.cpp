#include "network_entry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

#include "../torch_file/pickle_names.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

// What torchvision's, timm's and Lightning's checkpoints and people call the network, the usual
// first.
constexpr std::array<std::string_view, 12> network_keys{
    "state_dict", "model_state_dict", "model_state", "model",  "module",  "net",
    "network",    "net_state_dict",   "weights",     "params", "encoder", "backbone"};
// Entries whose tensors are not a network's.
constexpr std::array<std::string_view, 12> other_keys{
    "optim", "opt", "scheduler", "lr_sched",  "scaler", "callbacks",
    "loops", "rng", "random",    "criterion", "loss",   "metric"};
constexpr std::array<std::string_view, 5> average_words{"ema", "averaged", "average", "averages",
                                                        "swa"};
constexpr int deepest_entry = 3;
constexpr std::size_t longest_shown = 50;

struct TensorDict {
  const PickledDict* dict = nullptr;
  std::string path;
  std::size_t tensors = 0;
  bool averaged = false;
  std::size_t rank = network_keys.size();  ///< of its last key; beyond them: another key
  int depth = 0;
};

std::size_t count_tensors(const PickledDict& dict) {
  return static_cast<std::size_t>(
      std::count_if(dict.entries.begin(), dict.entries.end(), [](const auto& entry) {
        const auto* name = std::get_if<std::string_view>(&entry.first);
        return name != nullptr && *name != "n_averaged" &&
               std::holds_alternative<const PickledTensor*>(entry.second);
      }));
}

bool begins_with_any(std::string_view key, const auto& starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return key.starts_with(start); });
}

/// All dicts of tensors up to a depth. Each is looked at once, however often it is referred to.
class Search {
 public:
  explicit Search(const PickledDict& root) { visit(root, {}); }
  std::vector<TensorDict> found;

 private:
  void visit(const PickledDict& dict, TensorDict place) {
    if (!seen_.insert(&dict).second) return;
    place.dict = &dict;
    place.tensors = count_tensors(dict);
    if (place.tensors > 0) found.push_back(place);
    if (place.depth == deepest_entry) return;
    for (const auto& [key, value] : dict.entries) {
      const auto* name = std::get_if<std::string_view>(&key);
      const auto* const* inner = std::get_if<PickledDict*>(&value);
      if (name == nullptr || inner == nullptr || begins_with_any(*name, other_keys)) continue;
      TensorDict next;
      next.path = place.path.empty()
                      ? std::string(name->substr(0, longest_shown))
                      : fmt::format("{}.{}", place.path, name->substr(0, longest_shown));
      next.averaged = place.averaged || names_an_average(*name);
      next.rank = static_cast<std::size_t>(
          std::find(network_keys.begin(), network_keys.end(), *name) - network_keys.begin());
      next.depth = place.depth + 1;
      visit(**inner, next);
    }
  }
  std::set<const PickledDict*> seen_;
};

bool has_known_key(const TensorDict& entry) { return entry.rank < network_keys.size(); }

/// The best among those that `wanted` tells, by the order of network_keys, the outer one first.
template <typename Wanted>
const TensorDict* best_of(const std::vector<TensorDict>& all, const Wanted& wanted) {
  const TensorDict* best = nullptr;
  for (const TensorDict& entry : all) {
    if (!wanted(entry)) continue;
    const bool better =
        best == nullptr || std::pair(entry.rank, entry.depth) < std::pair(best->rank, best->depth);
    if (better) best = &entry;
  }
  return best;
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& problem) {
  throw InputError(path, "data.pkl",
                   problem + "; save the weights alone: torch.save(model.state_dict(), path)");
}

/// What a dict has instead of a network.
std::string describe_keys(const PickledDict& dict) {
  constexpr std::size_t most = 5;
  std::vector<std::string> keys;
  for (const auto& [key, value] : dict.entries) {
    const auto* name = std::get_if<std::string_view>(&key);
    if (name == nullptr || keys.size() >= most) continue;
    keys.emplace_back(name->substr(0, longest_shown));
    const auto* const* opaque = std::get_if<const PickledOpaque*>(&value);
    if (opaque != nullptr && !(*opaque)->name.empty()) {
      keys.back() += fmt::format(" ({})", describe_opaque(**opaque));
    }
  }
  return keys.empty() ? "nothing" : fmt::format("{}", fmt::join(keys, ", "));
}

/// "'netG', 'netD'", but for the root and `taken`.
std::vector<std::string> paths_of(const std::vector<TensorDict>& entries, const TensorDict* taken) {
  constexpr std::size_t most = 5;
  std::vector<std::string> paths;
  for (const TensorDict& entry : entries) {
    const bool shown = &entry != taken && entry.depth > 0 && paths.size() < most;
    if (shown) paths.push_back(fmt::format("'{}'", entry.path));
  }
  return paths;
}

/// The one with the trained weights.
const TensorDict* find_trained(const std::vector<TensorDict>& all,
                               const std::filesystem::path& path) {
  const auto trained = [](const TensorDict& entry) { return !entry.averaged; };
  const TensorDict* known =
      best_of(all, [&](const TensorDict& entry) { return trained(entry) && has_known_key(entry); });
  if (known != nullptr) return known;
  std::size_t most = 0;
  for (const TensorDict& entry : all) {
    if (trained(entry)) most = std::max(most, entry.tensors);
  }
  // The file's own tensors, unless they are a few beside a network: a best score, a mean.
  const auto is_root = [&](const TensorDict& entry) {
    return entry.depth == 0 && 2 * entry.tensors > most;
  };
  if (const TensorDict* root = best_of(all, is_root)) return root;
  const auto is_entry = [&](const TensorDict& entry) { return trained(entry) && entry.depth > 0; };
  if (std::count_if(all.begin(), all.end(), is_entry) > 1) {
    fail(path, fmt::format("it holds several dicts of tensors, {}, and none has a usual name ({})",
                           fmt::join(paths_of(all, nullptr), ", "), fmt::join(network_keys, ", ")));
  }
  return best_of(all, is_entry);
}

}  // namespace

bool names_an_average(std::string_view name) {
  std::string word;
  const auto is_average = [&] {
    return std::find(average_words.begin(), average_words.end(), word) != average_words.end();
  };
  char before = '\0';
  for (const char c : name) {
    const auto character = static_cast<unsigned char>(c);
    // A word ends at what is no letter, and within "modelEma" or "ModelEMA".
    const bool begins_word =
        std::isupper(character) != 0 && std::islower(static_cast<unsigned char>(before)) != 0;
    if (std::isalpha(character) == 0 || begins_word) {
      if (is_average()) return true;
      word.clear();
    }
    if (std::isalpha(character) != 0) word += static_cast<char>(std::tolower(character));
    before = c;
  }
  return is_average();
}

NetworkEntry find_network_entry(const PickledValue& root, const std::filesystem::path& path) {
  if (const auto* const* opaque = std::get_if<const PickledOpaque*>(&root)) {
    fail(path, fmt::format("it holds no dict of tensors: {}", describe_opaque(**opaque)));
  }
  const auto* const* dict = std::get_if<PickledDict*>(&root);
  if (dict == nullptr) fail(path, "it holds no dict of tensors");
  const std::vector<TensorDict> all = Search(**dict).found;
  if (all.empty()) {
    fail(path, fmt::format("it holds no tensors, and no dict of them as {}; it has {}",
                           fmt::join(network_keys, ", "), describe_keys(**dict)));
  }
  const TensorDict* averaged = best_of(all, [](const TensorDict& entry) { return entry.averaged; });
  const TensorDict* trained = find_trained(all, path);
  // Beside a few tensors at the root, such as a best score, the average is the only network.
  const bool alone = trained == nullptr || (averaged != nullptr && trained->depth == 0 &&
                                            trained->tensors < averaged->tensors / 2);
  const bool lacks = !alone && averaged != nullptr && averaged->tensors < trained->tensors;
  const bool take_average = averaged != nullptr && !lacks;
  const TensorDict& taken = take_average ? *averaged : *trained;
  std::vector<std::string> notes;
  if (take_average) notes.emplace_back("the averaged weights");
  if (lacks) {
    notes.push_back(
        fmt::format("the trained weights, because the averaged ones lack {} of their "
                    "tensors",
                    trained->tensors - averaged->tensors));
  }
  const std::vector<std::string> others = paths_of(all, &taken);
  if (!others.empty()) notes.push_back(fmt::format("not from {}", fmt::join(others, ", ")));
  return {taken.dict, taken.path, fmt::format("{}", fmt::join(notes, ", "))};
}

}  // namespace mpbench::nn
