#include "mpbench/nn/weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <map>

#include "../models/network_names.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "weights_origin.hpp"

namespace mpbench::nn {
namespace {

namespace fs = std::filesystem;

std::string dtype_name(torch::ScalarType dtype) {
  return std::string(c10::getDtypeNames(dtype).first);
}

/// "a, b, c", "a, b, c, ...".
std::string first_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  const bool all = names.size() <= most;
  return fmt::format("{}{}",
                     fmt::join(names.begin(), all ? names.end() : names.begin() + most, ", "),
                     all ? "" : ", ...");
}

/// "3 tensors (a, b, c)".
std::string list_names(const std::vector<std::string>& names) {
  return fmt::format("{} tensor{} ({})", names.size(), names.size() == 1 ? "" : "s",
                     first_names(names));
}

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes().vec(), ", "));
}

bool equal_but_for_trailing_ones(torch::IntArrayRef a, torch::IntArrayRef b) {
  const auto strip = [](torch::IntArrayRef sizes) {
    while (!sizes.empty() && sizes.back() == 1) sizes = sizes.slice(0, sizes.size() - 1);
    return sizes;
  };
  return strip(a) == strip(b);
}

/// "timm's efficientnet", with what it computes differently from torchvision's.
std::string describe_origin(EfficientNetOrigin origin) {
  if (origin == EfficientNetOrigin::timm_tf) {
    return "timm's tf_efficientnet: batch norm epsilon 0.001, TensorFlow's padding";
  }
  if (origin == EfficientNetOrigin::timm) return "timm's efficientnet: batch norm epsilon 1e-05";
  return "torchvision's";
}

/// Fits a file's tensors to a model's, and changes the model last of all.
class StateDictLoader {
 public:
  StateDictLoader(ImageClassifier& model, const fs::path& path)
      : path_(path), model_(model), own_(state_of(model)), state_(read_state_dict(path)) {
    const NameChanges changes = fit_names(state_, model, path);
    report_.path = path;
    report_.wrapper = state_.wrapper;
    report_.wrapper_note = state_.wrapper_note;
    report_.prefix = state_.prefix;
    report_.skipped = state_.skipped;
    report_.names_from_timm = changes.from_timm;
    report_.notes = changes.notes;
  }

  /// Whose network the file's is: by its names, and where they are timm's by what else it says.
  void find_origin() {
    const std::vector<std::string> hints = architecture_hints(path_, state_.architecture);
    if (const auto other = find_lookalike(hints)) {
      report_.warnings.push_back(fmt::format(
          "'{}' has the same tensors as this network and computes something else ({}): its outputs "
          "will differ",
          other->hint, other->difference));
    }
    if (!state_.origin.empty()) {
      report_.origin = state_.origin;
    } else if (report_.names_from_timm) {
      const TimmOrigin timm = find_timm_origin(hints);
      report_.origin = enum_name(timm.origin);
      if (timm.hint.empty()) {
        report_.warnings.push_back(
            fmt::format("the file does not say which of timm's networks this is: assuming {}. A "
                        "tf_efficientnet differs in details, and is recognized by "
                        "'tf_efficientnet' in the name of "
                        "the file or of a folder above it",
                        describe_origin(timm.origin)));
        return;
      }
    }
    if (find_enum<EfficientNetOrigin>(report_.origin) != EfficientNetOrigin::torchvision) {
      report_.notes.push_back(
          fmt::format("computed as {}", describe_origin(parse_origin(report_.origin))));
    }
  }

  void fit_head(const std::string& head, const WeightsOptions& options) {
    const auto own = own_.find(head + ".weight");
    const auto given = state_.tensors.find(head + ".weight");
    if (own == own_.end()) return;
    if (given == state_.tensors.end()) {
      if (options.require_head || state_.tensors.contains(head + ".bias")) return;  // missing names
      const std::string root = head.substr(0, head.find('.')) + ".";
      const std::vector<std::string> others = names_under(root);
      report_.head = others.empty()
                         ? fmt::format("head {} left as it is: the file has none", head)
                         : fmt::format("head {} left as it is: the file has another kind, {}", head,
                                       list_names(others));
      std::erase_if(state_.tensors,
                    [&](const auto& entry) { return entry.first.starts_with(root); });
    } else {
      const torch::Tensor& weight = given->second;
      const torch::Tensor& wanted = own->second;
      const bool differs_by_classes =
          weight.dim() >= 2 && weight.size(0) != wanted.size(0) &&
          equal_but_for_trailing_ones(weight.sizes().slice(1), wanted.sizes().slice(1));
      if (!differs_by_classes || join_two_outputs(head, wanted)) return;
      const std::string difference =
          fmt::format("{} classes in the file, {} here", weight.size(0), wanted.size(0));
      if (options.require_head) fail(given->first, difference);
      report_.head = fmt::format("head {} left out: {}", head, difference);
    }
    const auto begins = [&](const auto& entry) { return entry.first.starts_with(head + "."); };
    std::erase_if(own_, begins);
    std::erase_if(state_.tensors, begins);
  }

  void require_same_names() const {
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
    for (const auto& [name, tensor] : own_) {
      const bool optional = name.ends_with(".num_batches_tracked");
      if (!optional && !state_.tensors.contains(name)) missing.push_back(name);
    }
    for (const auto& [name, tensor] : state_.tensors) {
      if (!own_.contains(name)) unexpected.push_back(name);
    }
    if (missing.empty() && unexpected.empty()) return;
    std::vector<std::string> problems;
    if (!missing.empty()) problems.push_back("it lacks " + list_names(missing) + " of the network");
    if (!unexpected.empty()) {
      problems.push_back("it has " + list_names(unexpected) + " that the network does not have");
    }
    if (!state_.skipped.empty()) {
      problems.push_back(
          fmt::format("beside the network's it has {}", first_names(state_.skipped)));
    }
    if (!state_.architecture.empty()) {
      problems.push_back(fmt::format("it says that it is '{}'", state_.architecture));
    }
    fail(missing.empty() ? unexpected.front() : missing.front(),
         fmt::format("the file is of another network: {}", fmt::join(problems, "; ")));
  }

  void fit_stem(const std::string& stem) {
    const auto own = own_.find(stem + ".weight");
    if (own == own_.end()) return;
    torch::Tensor& weight = state_.tensors.at(own->first);
    const torch::Tensor& wanted = own->second;
    if (weight.dim() != 4 || wanted.dim() != 4 || !weight.is_floating_point()) return;
    const std::int64_t from = weight.size(1);
    const std::int64_t to = wanted.size(1);
    const bool same_otherwise = weight.size(0) == wanted.size(0) &&
                                weight.size(2) == wanted.size(2) &&
                                weight.size(3) == wanted.size(3);
    if (!same_otherwise || from == to) return;
    // In float64, so that there is one rounding, to the model's dtype.
    if (from == 3 && to == 1) {
      weight = weight.to(torch::kDouble).sum(1, /*keepdim=*/true).to(wanted.scalar_type());
      report_.stem = stem + " adapted from 3 channels to 1: summed over the channels";
    } else if (from == 1 && to == 3) {
      weight = weight.to(torch::kDouble).div(3).repeat({1, 3, 1, 1}).to(wanted.scalar_type());
      report_.stem = stem + " adapted from 1 channel to 3: a third of its weights for each";
    }
  }

  void fit_shapes() {
    std::vector<std::string> wrong;
    for (auto& [name, tensor] : state_.tensors) {
      const torch::IntArrayRef wanted = own_.at(name).sizes();
      if (tensor.sizes() == wanted) continue;
      if (equal_but_for_trailing_ones(tensor.sizes(), wanted)) {
        tensor = tensor.reshape(wanted);
        ++report_.reshaped;
      } else {
        wrong.push_back(name);
      }
    }
    if (wrong.empty()) return;
    const std::string first = wrong.front();
    wrong.erase(wrong.begin());
    fail(first, fmt::format("expected shape {}, found {}{}", shape_text(own_.at(first)),
                            shape_text(state_.tensors.at(first)),
                            wrong.empty() ? "" : "; also " + list_names(wrong)));
  }

  void fit_values() {
    std::map<std::pair<std::string, std::string>, std::int64_t> conversions;
    for (auto& [name, tensor] : state_.tensors) {
      const torch::ScalarType from = tensor.scalar_type();
      const torch::ScalarType to = own_.at(name).scalar_type();
      if (from != to) {
        tensor = convert(name, tensor, to);
        ++conversions[{dtype_name(from), dtype_name(to)}];
      }
      if (tensor.is_floating_point() && !torch::isfinite(tensor).all().item<bool>()) {
        fail(name, fmt::format("it has values that are not finite numbers in {}", dtype_name(to)));
      }
    }
    for (const auto& [dtypes, count] : conversions) {
      report_.converted.push_back(fmt::format("{} tensor{} from {} to {}", count,
                                              count == 1 ? "" : "s", dtypes.first, dtypes.second));
    }
  }

  WeightsReport apply() {
    const torch::NoGradGuard no_grad;
    set_origin(model_, report_.origin);
    for (const auto& [name, tensor] : state_.tensors) {
      own_.at(name).copy_(tensor);
      ++report_.loaded;
    }
    return report_;
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& problem) const {
    throw InputError(path_, field, problem);
  }

  std::vector<std::string> names_under(const std::string& root) const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : state_.tensors) {
      if (name.starts_with(root)) names.push_back(name);
    }
    return names;
  }

  /// Two outputs of which softmax makes probabilities are one whose sigmoid is the second's: the
  /// difference of both. Whether it was that.
  bool join_two_outputs(const std::string& head, const torch::Tensor& wanted) {
    const auto bias = state_.tensors.find(head + ".bias");
    torch::Tensor& weight = state_.tensors.at(head + ".weight");
    const bool is_pair = wanted.size(0) == 1 && weight.size(0) == 2 && weight.is_floating_point() &&
                         bias != state_.tensors.end() && bias->second.dim() == 1 &&
                         bias->second.size(0) == 2 && bias->second.is_floating_point();
    if (!is_pair) return false;
    for (torch::Tensor* tensor : {&weight, &bias->second}) {
      const torch::Tensor exact = tensor->to(torch::kDouble);
      *tensor = exact.slice(0, 1, 2).sub(exact.slice(0, 0, 1)).to(wanted.scalar_type());
    }
    report_.notes.push_back(
        fmt::format("head {}: its two outputs became one, the second less the first, which gives "
                    "the second class the same probability",
                    head));
    return true;
  }

  EfficientNetOrigin parse_origin(const std::string& text) const {
    if (!own_.contains("features.0.0.weight")) fail("origin", "this network has no such choice");
    if (const auto origin = find_enum<EfficientNetOrigin>(text)) return *origin;
    fail("model/origin",
         fmt::format("unknown origin '{}': choose {}", text, enum_choices<EfficientNetOrigin>()));
  }

  torch::Tensor convert(const std::string& name, const torch::Tensor& tensor,
                        torch::ScalarType to) const {
    const bool to_integers = torch::isIntegralType(to, /*includeBool=*/false);
    const bool from_integers = torch::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
    bool possible =
        tensor.is_floating_point() ? torch::isFloatingType(to) : to_integers && from_integers;
    if (tensor.is_floating_point() && to_integers) {
      // Averaging checkpoints makes floats of batch norms' counters.
      constexpr double largest = 9007199254740992.0;  // 2^53: beyond, not every integer is a double
      const torch::Tensor exact = tensor.to(torch::kDouble);
      possible = exact.abs().le(largest).all().item<bool>();
    }
    if (!possible) {
      fail(name, fmt::format("expected dtype {}, found {}", dtype_name(to),
                             dtype_name(tensor.scalar_type())));
    }
    return tensor.to(to);
  }

  fs::path path_;
  ImageClassifier& model_;
  TensorsByName own_;  // shares the model's memory
  StateDict state_;
  WeightsReport report_;
};

}  // namespace

StateDict read_network(const fs::path& path, const ImageClassifier& model) {
  StateDict state = read_state_dict(path);
  (void)fit_names(state, model, path);
  return state;
}

WeightsReport load_weights(ImageClassifier& model, const fs::path& path,
                           const WeightsOptions& options) {
  StateDictLoader loader(model, path);
  loader.find_origin();
  loader.fit_head(model.head(), options);
  loader.require_same_names();
  loader.fit_stem(model.stem());
  loader.fit_shapes();
  loader.fit_values();
  return loader.apply();
}

void WeightsReport::log_warnings() const {
  for (const std::string& warning : warnings) {
    spdlog::warn("{}: {}", path.string(), printable_text(warning));
  }
}

std::string WeightsReport::line() const {
  std::vector<std::string> parts{fmt::format("{} tensors loaded", loaded)};
  if (!wrapper.empty()) {
    const std::string note = wrapper_note.empty() ? "" : fmt::format(" ({})", wrapper_note);
    parts.push_back(fmt::format("taken from '{}'{}", wrapper, note));
  }
  if (!prefix.empty()) parts.push_back(fmt::format("names without '{}'", prefix));
  if (!skipped.empty()) {
    parts.push_back(fmt::format("{} others skipped ({})", skipped.size(), first_names(skipped)));
  }
  if (names_from_timm) parts.emplace_back("names translated from timm's");
  for (const std::string& note : notes) parts.push_back(note);
  if (!head.empty()) parts.push_back(head);
  if (!stem.empty()) parts.push_back(stem);
  if (reshaped > 0) parts.push_back(fmt::format("{} reshaped by trailing ones", reshaped));
  for (const std::string& conversion : converted) parts.push_back(conversion);
  return printable_text(fmt::format("{}: {}", path.filename().string(), fmt::join(parts, "; ")));
}

}  // namespace mpbench::nn
