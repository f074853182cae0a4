#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "mpbench/io/endian.hpp"

/// What tests look at of an event file, read without the code that wrote it. Checksums are
/// TensorBoard's to judge (tests/cli/tensorboard_test.py).
namespace mpbench::tensorboard {

/// One value of an event, its parts as the bytes of their messages.
struct ReadValue {
  std::string tag;
  std::optional<float> scalar;
  std::string image;
  std::string histogram;
  std::string tensor;
  std::string plugin;          ///< the name of the plugin that the metadata are for
  std::string plugin_content;  ///< what they tell it
};

struct ReadEvent {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string file_version;
  std::string session_log;
  std::vector<ReadValue> values;
};

inline void read_metadata(protozero::pbf_reader metadata, ReadValue& value) {
  while (metadata.next(1)) {  // plugin_data
    protozero::pbf_reader plugin = metadata.get_message();
    while (plugin.next()) {
      switch (plugin.tag()) {
        case 1:
          value.plugin = plugin.get_string();
          break;
        case 2:
          value.plugin_content = plugin.get_string();
          break;
        default:
          plugin.skip();
      }
    }
  }
}

inline ReadValue read_value(protozero::pbf_reader message) {
  ReadValue value;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        value.tag = message.get_string();
        break;
      case 2:
        value.scalar = message.get_float();
        break;
      case 4:
        value.image = message.get_string();
        break;
      case 5:
        value.histogram = message.get_string();
        break;
      case 8:
        value.tensor = message.get_string();
        break;
      case 9:
        read_metadata(message.get_message(), value);
        break;
      default:
        message.skip();
    }
  }
  return value;
}

inline ReadEvent read_event(const std::string& bytes) {
  ReadEvent event;
  protozero::pbf_reader message(bytes);
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        event.wall_time = message.get_double();
        break;
      case 2:
        event.step = message.get_int64();
        break;
      case 3:
        event.file_version = message.get_string();
        break;
      case 5: {
        protozero::pbf_reader summary = message.get_message();
        while (summary.next(1)) event.values.push_back(read_value(summary.get_message()));
        break;
      }
      case 7:
        event.session_log = message.get_string();
        break;
      default:
        message.skip();
    }
  }
  return event;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Throws std::runtime_error where the last record is cut short.
inline std::vector<ReadEvent> read_events(const std::filesystem::path& path) {
  const std::string bytes = bytes_of(path);
  const auto all = std::as_bytes(std::span(bytes));
  std::vector<ReadEvent> events;
  std::size_t place = 0;
  while (place < bytes.size()) {
    if (bytes.size() - place < 16) throw std::runtime_error("a record's frame is cut short");
    const auto length = static_cast<std::size_t>(little_endian<std::uint64_t>(all, place));
    if (length > bytes.size() - place - 16) throw std::runtime_error("a record is cut short");
    events.push_back(read_event(bytes.substr(place + 12, length)));
    place += length + 16;
  }
  return events;
}

/// All values of a file by their tags, the last of each.
inline std::map<std::string, ReadValue> last_values(const std::vector<ReadEvent>& events) {
  std::map<std::string, ReadValue> last;
  for (const ReadEvent& event : events) {
    for (const ReadValue& value : event.values) last[value.tag] = value;
  }
  return last;
}

}  // namespace mpbench::tensorboard
