#include "npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <span>
#include <string>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"

namespace mpbench::commands {
namespace {

const char* type_of(int depth) {
  switch (depth) {
    case CV_8U:
      return "|u1";
    case CV_8S:
      return "|i1";
    case CV_16U:
      return "<u2";
    case CV_16S:
      return "<i2";
    case CV_32F:
      return "<f4";
    default:
      throw Error("a NumPy file takes 8-bit and 16-bit integers and float here");
  }
}

}  // namespace

void write_npy(const std::filesystem::path& path, const cv::Mat& matrix) {
  static_assert(std::endian::native == std::endian::little);
  std::string shape = fmt::format("{}, {}", matrix.rows, matrix.cols);
  if (matrix.channels() > 1) shape += fmt::format(", {}", matrix.channels());
  std::string description = fmt::format(
      "{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type_of(matrix.depth()), shape);
  // Magic, version and length take 10 bytes; the format wants the data at a multiple of 64.
  while ((10 + description.size() + 1) % 64 != 0) description += ' ';
  description += '\n';
  const auto length = static_cast<unsigned>(description.size());
  std::string header = "\x93NUMPY";
  header += {'\x01', '\x00', static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)};

  AtomicFile file(path);
  file.write(header + description);
  for (int row = 0; row < matrix.rows; ++row) {
    file.write(std::as_bytes(
        std::span(matrix.ptr(row), static_cast<std::size_t>(matrix.cols) * matrix.elemSize())));
  }
  file.commit();
}

}  // namespace mpbench::commands
