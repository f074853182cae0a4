#include "event_messages.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <protozero/pbf_writer.hpp>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::tensorboard {
namespace {

using Writer = protozero::pbf_writer;
using Field = protozero::pbf_tag_type;

// The fields' numbers, by message.
namespace event_field {
constexpr Field wall_time = 1;
constexpr Field step = 2;
constexpr Field file_version = 3;
constexpr Field summary = 5;
constexpr Field session_log = 7;
}  // namespace event_field
namespace session_log_field {
constexpr Field status = 1;
}
namespace summary_field {
constexpr Field value = 1;
}
namespace value_field {
constexpr Field tag = 1;
constexpr Field simple_value = 2;
constexpr Field image = 4;
constexpr Field histogram = 5;
constexpr Field tensor = 8;
constexpr Field metadata = 9;
}  // namespace value_field
namespace metadata_field {
constexpr Field plugin_data = 1;
constexpr Field data_class = 4;
}  // namespace metadata_field
namespace plugin_data_field {
constexpr Field plugin_name = 1;
constexpr Field content = 2;
}  // namespace plugin_data_field
namespace histogram_field {
constexpr Field smallest = 1;
constexpr Field largest = 2;
constexpr Field count = 3;
constexpr Field sum = 4;
constexpr Field sum_of_squares = 5;
constexpr Field limits = 6;
constexpr Field counts = 7;
}  // namespace histogram_field
namespace image_field {
constexpr Field height = 1;
constexpr Field width = 2;
constexpr Field colorspace = 3;
constexpr Field encoded = 4;
}  // namespace image_field
namespace tensor_field {
constexpr Field type = 1;
constexpr Field shape = 2;
constexpr Field strings = 8;
}  // namespace tensor_field
namespace shape_field {
constexpr Field dimension = 2;
}
namespace dimension_field {
constexpr Field size = 1;
}
namespace hparams_field {  // HParamsPluginData
constexpr Field experiment = 2;
constexpr Field session_start = 3;
constexpr Field session_end = 4;
}  // namespace hparams_field
namespace experiment_field {
constexpr Field hyperparameter = 4;
constexpr Field metric = 5;
}  // namespace experiment_field
namespace hyperparameter_field {  // HParamInfo
constexpr Field name = 1;
constexpr Field type = 4;
}  // namespace hyperparameter_field
namespace metric_field {  // MetricInfo
constexpr Field name = 1;
}
namespace metric_name_field {
constexpr Field tag = 2;
}
namespace session_start_field {
constexpr Field hyperparameter = 1;
constexpr Field start_time = 5;
}  // namespace session_start_field
namespace session_end_field {
constexpr Field status = 1;
constexpr Field end_time = 2;
}  // namespace session_end_field
namespace map_field {
constexpr Field key = 1;
constexpr Field value = 2;
}  // namespace map_field
namespace variant_field {  // google.protobuf.Value
constexpr Field number = 2;
constexpr Field string = 3;
constexpr Field boolean = 4;
}  // namespace variant_field

// What TensorBoard's enums have for values.
constexpr std::int32_t session_started = 1;        // SessionLog.START
constexpr std::int32_t tensor_data = 2;            // DATA_CLASS_TENSOR
constexpr std::int32_t float_tensor = 1;           // DT_FLOAT
constexpr std::int32_t string_tensor = 7;          // DT_STRING
constexpr std::int32_t string_hyperparameter = 1;  // DATA_TYPE_STRING
constexpr std::int32_t bool_hyperparameter = 2;
constexpr std::int32_t number_hyperparameter = 3;
constexpr std::int32_t session_succeeded = 1;  // STATUS_SUCCESS
constexpr std::int32_t session_failed = 2;

/// Protocol buffers refuse a string that is no UTF-8, and with it the event.
void add_text_field(Writer& message, Field field, std::string_view text) {
  message.add_string(field, utf8_text(text));
}

std::string event_of(EventTime time, const auto& fill) {
  std::string bytes;
  Writer event(bytes);
  event.add_double(event_field::wall_time, time.wall_time);
  event.add_int64(event_field::step, time.step);
  fill(event);
  return bytes;
}

/// An event with one value of a tag.
std::string value_event(EventTime time, std::string_view tag, const auto& fill) {
  return event_of(time, [&](Writer& event) {
    Writer summary(event, event_field::summary);
    Writer value(summary, summary_field::value);
    add_text_field(value, value_field::tag, tag);
    fill(value);
  });
}

void add_metadata(Writer& value, const char* plugin, const std::string& content) {
  Writer metadata(value, value_field::metadata);
  {
    Writer plugin_data(metadata, metadata_field::plugin_data);
    plugin_data.add_string(plugin_data_field::plugin_name, plugin);
    if (!content.empty()) plugin_data.add_bytes(plugin_data_field::content, content);
  }
  metadata.add_enum(metadata_field::data_class, tensor_data);
}

/// One of the three values of a run that the plugin for hyperparameters reads: it is all in the
/// metadata, and the value is a tensor of nothing.
void add_hparams_value(Writer& summary, const char* tag, const auto& fill) {
  std::string content;
  Writer plugin_data(content);
  fill(plugin_data);
  Writer value(summary, summary_field::value);
  value.add_string(value_field::tag, tag);
  add_metadata(value, "hparams", content);
  Writer tensor(value, value_field::tensor);
  tensor.add_enum(tensor_field::type, float_tensor);
  Writer shape(tensor, tensor_field::shape);
  Writer dimension(shape, shape_field::dimension);
  dimension.add_int64(dimension_field::size, 0);
}

bool can_be_told(const Hyperparameter& hyperparameter) {
  const double* number = std::get_if<double>(&hyperparameter.value);
  return number == nullptr || std::isfinite(*number);
}

std::int32_t type_of(const Hyperparameter& hyperparameter) {
  if (std::holds_alternative<bool>(hyperparameter.value)) return bool_hyperparameter;
  return std::holds_alternative<double>(hyperparameter.value) ? number_hyperparameter
                                                              : string_hyperparameter;
}

void add_variant(Writer& entry, const Hyperparameter& hyperparameter) {
  Writer value(entry, map_field::value);
  if (const bool* truth = std::get_if<bool>(&hyperparameter.value)) {
    value.add_bool(variant_field::boolean, *truth);
  } else if (const double* number = std::get_if<double>(&hyperparameter.value)) {
    value.add_double(variant_field::number, *number);
  } else {
    add_text_field(value, variant_field::string, std::get<std::string>(hyperparameter.value));
  }
}

void add_experiment(Writer& plugin_data, std::span<const Hyperparameter> hyperparameters,
                    std::span<const std::string> metrics) {
  Writer experiment(plugin_data, hparams_field::experiment);
  for (const Hyperparameter& hyperparameter : hyperparameters) {
    if (!can_be_told(hyperparameter)) continue;
    Writer info(experiment, experiment_field::hyperparameter);
    add_text_field(info, hyperparameter_field::name, hyperparameter.name);
    info.add_enum(hyperparameter_field::type, type_of(hyperparameter));
  }
  for (const std::string& metric : metrics) {
    Writer info(experiment, experiment_field::metric);
    Writer name(info, metric_field::name);
    add_text_field(name, metric_name_field::tag, metric);
  }
}

void add_session(Writer& plugin_data, EventTime time,
                 std::span<const Hyperparameter> hyperparameters) {
  Writer session(plugin_data, hparams_field::session_start);
  for (const Hyperparameter& hyperparameter : hyperparameters) {
    if (!can_be_told(hyperparameter)) continue;
    Writer entry(session, session_start_field::hyperparameter);
    add_text_field(entry, map_field::key, hyperparameter.name);
    add_variant(entry, hyperparameter);
  }
  session.add_double(session_start_field::start_time, time.wall_time);
}

bool fits_float(double value) {
  return std::isfinite(value) && std::abs(value) <= std::numeric_limits<float>::max();
}

}  // namespace

std::string file_version_event(EventTime time) {
  return event_of(
      time, [](Writer& event) { event.add_string(event_field::file_version, "brain.Event:2"); });
}

std::string restart_event(EventTime time) {
  return event_of(time, [](Writer& event) {
    Writer log(event, event_field::session_log);
    log.add_enum(session_log_field::status, session_started);
  });
}

std::string scalars_event(EventTime time, std::span<const Scalar> scalars) {
  bool any = false;
  std::string bytes = event_of(time, [&](Writer& event) {
    Writer summary(event, event_field::summary);
    for (const Scalar& scalar : scalars) {
      if (!fits_float(scalar.value)) continue;
      any = true;
      Writer value(summary, summary_field::value);
      add_text_field(value, value_field::tag, scalar.tag);
      value.add_float(value_field::simple_value, static_cast<float>(scalar.value));
    }
  });
  return any ? bytes : std::string();
}

std::string histogram_event(EventTime time, std::string_view tag, const Histogram& histogram) {
  if (histogram.count == 0) return {};
  return value_event(time, tag, [&](Writer& value) {
    Writer message(value, value_field::histogram);
    message.add_double(histogram_field::smallest, histogram.smallest);
    message.add_double(histogram_field::largest, histogram.largest);
    message.add_double(histogram_field::count, static_cast<double>(histogram.count));
    message.add_double(histogram_field::sum, histogram.sum);
    message.add_double(histogram_field::sum_of_squares, histogram.sum_of_squares);
    message.add_packed_double(histogram_field::limits, histogram.limits.begin(),
                              histogram.limits.end());
    const std::vector<double> counts(histogram.counts.begin(), histogram.counts.end());
    message.add_packed_double(histogram_field::counts, counts.begin(), counts.end());
  });
}

std::string image_event(EventTime time, std::string_view tag, const Image& image) {
  return value_event(time, tag, [&](Writer& value) {
    Writer message(value, value_field::image);
    message.add_int32(image_field::height, image.height);
    message.add_int32(image_field::width, image.width);
    message.add_int32(image_field::colorspace, image.channels);  // the same numbers
    message.add_bytes(image_field::encoded, reinterpret_cast<const char*>(image.png.data()),
                      image.png.size());
  });
}

std::string text_event(EventTime time, std::string_view tag, std::string_view markdown) {
  return value_event(time, tag, [&](Writer& value) {
    add_metadata(value, "text", {});
    Writer tensor(value, value_field::tensor);  // of no dimension
    tensor.add_enum(tensor_field::type, string_tensor);
    tensor.add_bytes(tensor_field::strings, utf8_text(markdown));
  });
}

std::string session_start_event(EventTime time, std::span<const Hyperparameter> hyperparameters,
                                std::span<const std::string> metrics) {
  return event_of(time, [&](Writer& event) {
    Writer summary(event, event_field::summary);
    add_hparams_value(summary, "_hparams_/experiment", [&](Writer& plugin_data) {
      add_experiment(plugin_data, hyperparameters, metrics);
    });
    add_hparams_value(summary, "_hparams_/session_start_info", [&](Writer& plugin_data) {
      add_session(plugin_data, time, hyperparameters);
    });
  });
}

std::string session_end_event(EventTime time, SessionEnd end) {
  return event_of(time, [&](Writer& event) {
    Writer summary(event, event_field::summary);
    add_hparams_value(summary, "_hparams_/session_end_info", [&](Writer& plugin_data) {
      Writer session(plugin_data, hparams_field::session_end);
      session.add_enum(session_end_field::status,
                       end == SessionEnd::success ? session_succeeded : session_failed);
      session.add_double(session_end_field::end_time, time.wall_time);
    });
  });
}

}  // namespace mpbench::tensorboard
