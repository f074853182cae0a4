// One JPEG 2000 frame, decoded whole, reduced and in part, into the format that its own header asks
// for: what a dataset would have to say for the decoder to get as far as it can.
#include <algorithm>
#include <cstdint>

#include "../../src/dicom/jpeg2000/jpeg2000_codestream.hpp"
#include "../../src/dicom/jpeg2000/jpeg2000_decoder.hpp"
#include "../../src/dicom/jpeg2000/jpeg2000_structure.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::stated;

constexpr std::uint32_t longest_side = 512;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpbench::dicom;
  const std::span<const std::byte> frame(reinterpret_cast<const std::byte*>(data), size);
  try {
    const CodestreamHeader header = read_codestream_header(frame);
    if (std::max(header.width, header.height) > longest_side || header.precision > 16) return 0;
    PixelFormat format;
    format.rows = static_cast<int>(header.height);
    format.columns = static_cast<int>(header.width);
    format.samples = header.components;
    format.bits_allocated = header.precision > 8 ? 16 : 8;
    format.bits_stored = header.precision;
    format.high_bit = header.precision - 1;
    format.is_signed = header.is_signed;
    const int levels = max_reduction(frame, format);
    stated(levels >= 0 && levels <= 32);

    const cv::Size whole(format.columns, format.rows);
    stated(decode_jpeg2000(frame, format).size() == whole);
    stated(read_structure(find_codestream(frame)).incomplete_tiles == 0);
    DecodeOptions options;
    options.reduction = std::min(levels, 2);
    stated(!decode_jpeg2000(frame, format, options).empty());
    const int step = 1 << options.reduction;
    options.area = {whole.width / 2 / step * step, whole.height / 2 / step * step, 0, 0};
    options.area.width = whole.width - options.area.x;
    options.area.height = whole.height - options.area.y;
    const cv::Mat part = decode_jpeg2000(frame, format, options);
    stated(part.cols <= options.area.width && part.rows <= options.area.height);
  } catch (const FieldError&) {
    return 0;  // the one way to refuse a frame
  }
  return 0;
}
