#include "mpbench/nn/weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <map>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/nn/timm_names.hpp"

namespace mpbench::nn {
namespace {

namespace fs = std::filesystem;

std::string dtype_name(at::ScalarType dtype) { return c10::getDtypeNames(dtype).first; }

/// "3 tensors (a, b, c)", "70 tensors (a, b, c, ...)".
std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  const bool all = names.size() <= most;
  return fmt::format("{} tensor{} ({}{})", names.size(), names.size() == 1 ? "" : "s",
                     fmt::join(names.begin(), all ? names.end() : names.begin() + most, ", "),
                     all ? "" : ", ...");
}

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes().vec(), ", "));
}

bool equal_but_for_trailing_ones(at::IntArrayRef a, at::IntArrayRef b) {
  const auto strip = [](at::IntArrayRef sizes) {
    while (!sizes.empty() && sizes.back() == 1) sizes = sizes.slice(0, sizes.size() - 1);
    return sizes;
  };
  return strip(a) == strip(b);
}

/// Fits a file's tensors to a model's, and changes the model last of all.
class Fitting {
 public:
  Fitting(const ImageClassifier& model, const fs::path& path)
      : path_(path), own_(state_of(model)), state_(read_state_dict(path)) {
    report_.path = path;
    report_.wrapper = state_.wrapper;
    report_.prefix = state_.prefix;
    report_.left_aside = state_.left_aside;
  }

  void translate_names() {
    if (!state_.tensors.contains("conv_stem.weight") || !own_.contains("features.0.0.weight")) {
      return;
    }
    TensorsByName translated;
    for (const auto& [name, tensor] : state_.tensors) {
      const std::string theirs = torchvision_efficientnet_name(name).value_or(name);
      if (!translated.emplace(theirs, tensor).second) fail(name, "the file has it under two names");
    }
    state_.tensors = std::move(translated);
    report_.names_from_timm = true;
    const auto named_tf = [](const std::string& text) {
      return text.find("tf_efficientnet") != std::string::npos;
    };
    if (named_tf(path_.filename().string()) || named_tf(path_.parent_path().filename().string()) ||
        named_tf(state_.architecture)) {
      report_.warnings.emplace_back(
          "timm's tf_ EfficientNets were trained with TensorFlow's padding and a batch norm "
          "epsilon of 0.001, which this network does not have: its outputs will differ");
    }
  }

  void fit_head(const std::string& head, const WeightsOptions& options) {
    const auto own = own_.find(head + ".weight");
    const auto given = state_.tensors.find(head + ".weight");
    if (own == own_.end()) return;
    const auto begins = [&](const std::string& name) { return name.starts_with(head + "."); };
    if (given == state_.tensors.end()) {
      const bool has_part = std::any_of(state_.tensors.begin(), state_.tensors.end(),
                                        [&](const auto& entry) { return begins(entry.first); });
      if (has_part || options.require_head) return;  // the names will be found missing
      report_.head = fmt::format("head {} left as it is: the file has none", head);
    } else {
      const at::Tensor& weight = given->second;
      const at::Tensor& wanted = own->second;
      const bool differs_by_classes =
          weight.dim() >= 2 && weight.size(0) != wanted.size(0) &&
          equal_but_for_trailing_ones(weight.sizes().slice(1), wanted.sizes().slice(1));
      if (!differs_by_classes) return;
      const std::string difference =
          fmt::format("{} classes in the file, {} here", weight.size(0), wanted.size(0));
      if (options.require_head) fail(given->first, difference);
      report_.head = fmt::format("head {} left out: {}", head, difference);
    }
    std::erase_if(own_, [&](const auto& entry) { return begins(entry.first); });
    std::erase_if(state_.tensors, [&](const auto& entry) { return begins(entry.first); });
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
      problems.push_back("it has " + list_names(unexpected) + " that the network has not");
    }
    fail(missing.empty() ? unexpected.front() : missing.front(),
         fmt::format("the file is of another network: {}", fmt::join(problems, "; ")));
  }

  void fit_stem(const std::string& stem) {
    const auto own = own_.find(stem + ".weight");
    if (own == own_.end()) return;
    at::Tensor& weight = state_.tensors.at(own->first);
    const at::Tensor& wanted = own->second;
    if (weight.dim() != 4 || wanted.dim() != 4 || !weight.is_floating_point()) return;
    const std::int64_t from = weight.size(1);
    const std::int64_t to = wanted.size(1);
    const bool same_otherwise = weight.size(0) == wanted.size(0) &&
                                weight.size(2) == wanted.size(2) &&
                                weight.size(3) == wanted.size(3);
    if (!same_otherwise || from == to) return;
    // In float64, so that there is one rounding, to the model's dtype.
    if (from == 3 && to == 1) {
      weight = weight.to(at::kDouble).sum(1, /*keepdim=*/true).to(wanted.scalar_type());
      report_.stem = stem + " adapted from 3 channels to 1: summed over the channels";
    } else if (from == 1 && to == 3) {
      weight = weight.to(at::kDouble).div(3).repeat({1, 3, 1, 1}).to(wanted.scalar_type());
      report_.stem = stem + " adapted from 1 channel to 3: a third of its weights for each";
    }
  }

  void fit_shapes() {
    std::vector<std::string> wrong;
    for (auto& [name, tensor] : state_.tensors) {
      const at::IntArrayRef wanted = own_.at(name).sizes();
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
    fail(first, fmt::format("its shape is {}, {} is wanted{}", shape_text(state_.tensors.at(first)),
                            shape_text(own_.at(first)),
                            wrong.empty() ? "" : "; likewise " + list_names(wrong)));
  }

  void fit_values() {
    std::map<std::pair<std::string, std::string>, std::int64_t> conversions;
    for (auto& [name, tensor] : state_.tensors) {
      const at::ScalarType from = tensor.scalar_type();
      const at::ScalarType to = own_.at(name).scalar_type();
      if (from != to) {
        tensor = convert(name, tensor, to);
        ++conversions[{dtype_name(from), dtype_name(to)}];
      }
      if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) {
        fail(name, fmt::format("it has values that are not finite numbers in {}", dtype_name(to)));
      }
    }
    for (const auto& [dtypes, count] : conversions) {
      report_.converted.push_back(fmt::format("{} tensor{} from {} to {}", count,
                                              count == 1 ? "" : "s", dtypes.first, dtypes.second));
    }
  }

  WeightsReport apply() {
    const at::NoGradGuard no_grad;
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

  at::Tensor convert(const std::string& name, const at::Tensor& tensor, at::ScalarType to) const {
    const bool to_integers = at::isIntegralType(to, /*includeBool=*/false);
    const bool from_integers = at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
    bool possible =
        tensor.is_floating_point() ? at::isFloatingType(to) : to_integers && from_integers;
    if (tensor.is_floating_point() && to_integers) {
      // Averaging checkpoints makes floats of batch norms' counters.
      constexpr double largest = 9007199254740992.0;  // 2^53: beyond, not every integer is a double
      const at::Tensor exact = tensor.to(at::kDouble);
      possible = exact.abs().le(largest).all().item<bool>();
    }
    if (!possible) {
      fail(name, fmt::format("its dtype is {}, {} is wanted", dtype_name(tensor.scalar_type()),
                             dtype_name(to)));
    }
    return tensor.to(to);
  }

  fs::path path_;
  TensorsByName own_;  // shares the model's memory
  StateDict state_;
  WeightsReport report_;
};

}  // namespace

WeightsReport load_weights(ImageClassifier& model, const fs::path& path,
                           const WeightsOptions& options) {
  Fitting fitting(model, path);
  fitting.translate_names();
  fitting.fit_head(model.head(), options);
  fitting.require_same_names();
  fitting.fit_stem(model.stem());
  fitting.fit_shapes();
  fitting.fit_values();
  return fitting.apply();
}

void save_weights(const ImageClassifier& model, const fs::path& path,
                  safetensors::Metadata metadata) {
  write_state_dict(path, state_of(model), std::move(metadata));
}

std::string WeightsReport::line() const {
  std::vector<std::string> parts{fmt::format("{} tensors loaded", loaded)};
  if (!wrapper.empty()) parts.push_back(fmt::format("taken from '{}'", wrapper));
  if (!prefix.empty()) parts.push_back(fmt::format("names without '{}'", prefix));
  if (left_aside > 0) parts.push_back(fmt::format("{} others left aside", left_aside));
  if (names_from_timm) parts.emplace_back("names translated from timm's");
  if (!head.empty()) parts.push_back(head);
  if (!stem.empty()) parts.push_back(stem);
  if (reshaped > 0) parts.push_back(fmt::format("{} reshaped by trailing ones", reshaped));
  for (const std::string& conversion : converted) parts.push_back(conversion);
  for (const std::string& warning : warnings) parts.push_back("warning: " + warning);
  return printable_text(fmt::format("{}: {}", path.filename().string(), fmt::join(parts, "; ")));
}

}  // namespace mpbench::nn
