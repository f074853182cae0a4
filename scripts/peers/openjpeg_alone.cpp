// How long OpenJPEG itself needs for codestreams in memory, one thread: openjpeg_alone FILE... prints seconds a file.
#include <openjpeg.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace {

struct Source {
  std::string bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T read(void* to, OPJ_SIZE_T wanted, void* user) {
  auto& source = *static_cast<Source*>(user);
  const std::size_t count = std::min(wanted, source.bytes.size() - source.at);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, source.bytes.data() + source.at, count);
  source.at += count;
  return count;
}

OPJ_OFF_T skip(OPJ_OFF_T count, void* user) {
  auto& source = *static_cast<Source*>(user);
  source.at = std::min(source.at + static_cast<std::size_t>(count), source.bytes.size());
  return count;
}

OPJ_BOOL seek(OPJ_OFF_T place, void* user) {
  static_cast<Source*>(user)->at = static_cast<std::size_t>(place);
  return OPJ_TRUE;
}

bool decode(Source& source) {
  opj_stream_t* stream = opj_stream_default_create(OPJ_TRUE);
  opj_stream_set_user_data(stream, &source, nullptr);
  opj_stream_set_user_data_length(stream, source.bytes.size());
  opj_stream_set_read_function(stream, read);
  opj_stream_set_skip_function(stream, skip);
  opj_stream_set_seek_function(stream, seek);
  opj_codec_t* codec = opj_create_decompress(OPJ_CODEC_J2K);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* image = nullptr;
  const bool good = opj_setup_decoder(codec, &parameters) &&
                    opj_read_header(stream, codec, &image) && opj_decode(codec, stream, image) &&
                    opj_end_decompress(codec, stream);
  opj_image_destroy(image);
  opj_destroy_codec(codec);
  opj_stream_destroy(stream);
  return good;
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    Source source{{std::istreambuf_iterator<char>(file), {}}, 0};
    const auto begin = std::chrono::steady_clock::now();
    if (!decode(source)) {
      std::fprintf(stderr, "%s: OpenJPEG could not decode it\n", arguments[i]);
      return 1;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%.6f\n", seconds.count());
  }
}
