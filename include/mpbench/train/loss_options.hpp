#pragma once

#include <optional>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::train {

/// What the network is asked: one logit for "is it positive?", or one a class.
enum class Task { binary, multiclass };

inline Task task_of(int classes) { return classes == 2 ? Task::binary : Task::multiclass; }
inline int outputs_of(int classes) { return task_of(classes) == Task::binary ? 1 : classes; }

enum class LossKind { cross_entropy, focal };

struct LossOptions {
  Task task = Task::binary;
  /// Weight of the positives' term in the binary cross-entropy, in either kind; without it, 1.
  std::optional<double> pos_weight{};
  LossKind kind = LossKind::cross_entropy;
  double focal_gamma = 2.0;
  /// Binary focal loss: weight of positives; negatives get 1 - alpha. Without it, both count 1.
  std::optional<double> focal_alpha{};
  double label_smoothing = 0.0;
};

/// Throws UsageError naming the flag and its range or choices, or an option that the task does not
/// have (pos_weight, --focal-alpha with more than two classes).
void validate(const LossOptions& options);

}  // namespace mpbench::train

template <>
inline constexpr auto mpbench::enum_names<mpbench::train::LossKind> =
    std::to_array<mpbench::EnumName<mpbench::train::LossKind>>(
        {{mpbench::train::LossKind::cross_entropy, "cross-entropy"},
         {mpbench::train::LossKind::focal, "focal"}});
