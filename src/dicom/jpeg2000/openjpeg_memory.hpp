#pragma once

#include <openjpeg.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// OpenJPEG's handles as owners, its streams over memory, and its error messages as text.
namespace mpbench::dicom {

// opj_stream_t and opj_codec_t are both void*, so that each owner needs a deleter of its own.
struct OpenJpegStreamDeleter {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct OpenJpegCodecDeleter {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct OpenJpegImageDeleter {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};
using OpenJpegStream = std::unique_ptr<opj_stream_t, OpenJpegStreamDeleter>;
using OpenJpegCodec = std::unique_ptr<opj_codec_t, OpenJpegCodecDeleter>;
using OpenJpegImage = std::unique_ptr<opj_image_t, OpenJpegImageDeleter>;

/// What OpenJPEG reads from.
struct MemorySource {
  std::span<const std::byte> bytes;
  std::size_t position = 0;
};

/// What OpenJPEG writes to.
struct MemorySink {
  std::vector<std::byte> bytes;
  std::size_t position = 0;
};

/// A stream over `source`, which must outlive it.
OpenJpegStream open_source(MemorySource& source);

/// A stream into `sink`, which must outlive it.
OpenJpegStream open_sink(MemorySink& sink);

/// Appends the codec's error messages to `errors`, which must outlive the codec. Warnings are
/// dropped: OpenJPEG warns about much that is harmless.
void collect_errors(opj_codec_t* codec, std::string& errors);

/// Appends those warnings to `damage` that mean it: a packet header without its end marker (ISO/IEC
/// 15444-1 A.8.2), or a code-block that its decoder has left more than a few bytes before its end,
/// or after it (see make_watched()). Called after collect_errors().
void collect_damage(opj_codec_t* codec, std::string& damage);

}  // namespace mpbench::dicom
