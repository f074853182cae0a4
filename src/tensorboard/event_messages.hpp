#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mpbench/tensorboard/event_file.hpp"

/// Events as serialised protocol buffers: the messages of TensorBoard's tensorboard/compat/proto
/// (event, summary, histogram, tensor) and tensorboard/plugins/hparams. Each is whole.
namespace mpbench::tensorboard {

struct EventTime {
  double wall_time = 0;  ///< seconds since 1970
  std::int64_t step = 0;
};

/// The first of a file.
std::string file_version_event(EventTime time);
/// Events of this step and of later ones in earlier files are void.
std::string restart_event(EventTime time);

/// Empty where no value can be told.
std::string scalars_event(EventTime time, std::span<const Scalar> scalars);
/// Empty for a histogram of no values.
std::string histogram_event(EventTime time, std::string_view tag, const Histogram& histogram);
std::string image_event(EventTime time, std::string_view tag, const Image& image);
std::string text_event(EventTime time, std::string_view tag, std::string_view markdown);

std::string session_start_event(EventTime time, std::span<const Hyperparameter> hyperparameters,
                                std::span<const std::string> metrics);
std::string session_end_event(EventTime time, SessionEnd end);

}  // namespace mpbench::tensorboard
