#include "openjpeg_memory.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mpbench::dicom {
namespace {

constexpr OPJ_SIZE_T end_of_stream = static_cast<OPJ_SIZE_T>(-1);

OPJ_SIZE_T read_source(void* buffer, OPJ_SIZE_T wanted, void* user) {
  auto& source = *static_cast<MemorySource*>(user);
  const std::size_t count = std::min(wanted, source.bytes.size() - source.position);
  if (count == 0) return end_of_stream;
  std::memcpy(buffer, source.bytes.data() + source.position, count);
  source.position += count;
  return count;
}

OPJ_OFF_T skip_source(OPJ_OFF_T offset, void* user) {
  auto& source = *static_cast<MemorySource*>(user);
  if (offset < 0) return -1;
  const std::size_t left = source.bytes.size() - source.position;
  if (left == 0) return -1;
  const std::size_t count = std::min(static_cast<std::size_t>(offset), left);
  source.position += count;
  return static_cast<OPJ_OFF_T>(count);
}

OPJ_BOOL seek_source(OPJ_OFF_T position, void* user) {
  auto& source = *static_cast<MemorySource*>(user);
  if (position < 0 || static_cast<std::size_t>(position) > source.bytes.size()) return OPJ_FALSE;
  source.position = static_cast<std::size_t>(position);
  return OPJ_TRUE;
}

OPJ_SIZE_T write_sink(void* buffer, OPJ_SIZE_T count, void* user) {
  auto& sink = *static_cast<MemorySink*>(user);
  sink.bytes.resize(std::max(sink.bytes.size(), sink.position + count));
  std::memcpy(sink.bytes.data() + sink.position, buffer, count);
  sink.position += count;
  return count;
}

OPJ_BOOL seek_sink(OPJ_OFF_T position, void* user) {
  auto& sink = *static_cast<MemorySink*>(user);
  if (position < 0) return OPJ_FALSE;
  sink.position = static_cast<std::size_t>(position);
  return OPJ_TRUE;
}

OPJ_OFF_T skip_sink(OPJ_OFF_T offset, void* user) {
  const auto& sink = *static_cast<MemorySink*>(user);
  return seek_sink(static_cast<OPJ_OFF_T>(sink.position) + offset, user) == OPJ_TRUE ? offset : -1;
}

void append_error(const char* message, void* user) {
  auto& errors = *static_cast<std::string*>(user);
  std::string text = message;
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (errors.size() > 300) return;  // a damaged stream can repeat one message a thousand times
  errors += errors.empty() ? text : "; " + text;
}

/// Whole code-blocks of OpenJPEG, Kakadu and other encoders leave at most two bytes, which is not
/// told, and need at most four more than they have.
constexpr int most_slack = 6;

/// The texts are those of OpenJPEG's t1.c and t2.c.
void append_damage(const char* message, void* user) {
  const std::string_view text = message;
  int bytes = 0;
  if (std::sscanf(message, "PTERM check failure: %d", &bytes) == 1) {
    if (bytes <= most_slack) return;
    const bool is_early = text.find("remaining") != text.npos;
    const std::string told = "a code-block is damaged: decoded, it ends " + std::to_string(bytes) +
                             (is_early ? " bytes early" : " bytes late");
    append_error(told.c_str(), user);
  } else if (text.find("EPH marker") != text.npos || text.find("segment too long") != text.npos) {
    append_error(message, user);
  }
}

void ignore_message(const char*, void*) {}

OpenJpegStream open_stream(bool for_reading) {
  OpenJpegStream stream(opj_stream_default_create(for_reading ? OPJ_TRUE : OPJ_FALSE));
  if (!stream) throw std::bad_alloc();
  return stream;
}

}  // namespace

OpenJpegStream open_source(MemorySource& source) {
  OpenJpegStream stream = open_stream(true);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes.size());
  opj_stream_set_read_function(stream.get(), read_source);
  opj_stream_set_skip_function(stream.get(), skip_source);
  opj_stream_set_seek_function(stream.get(), seek_source);
  return stream;
}

OpenJpegStream open_sink(MemorySink& sink) {
  OpenJpegStream stream = open_stream(false);
  opj_stream_set_user_data(stream.get(), &sink, nullptr);
  opj_stream_set_write_function(stream.get(), write_sink);
  opj_stream_set_skip_function(stream.get(), skip_sink);
  opj_stream_set_seek_function(stream.get(), seek_sink);
  return stream;
}

void collect_errors(opj_codec_t* codec, std::string& errors) {
  opj_set_error_handler(codec, append_error, &errors);
  opj_set_warning_handler(codec, ignore_message, nullptr);
  opj_set_info_handler(codec, ignore_message, nullptr);
}

void collect_damage(opj_codec_t* codec, std::string& damage) {
  opj_set_warning_handler(codec, append_damage, &damage);
}

}  // namespace mpbench::dicom
