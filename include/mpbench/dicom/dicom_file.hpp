#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mpbench::dicom {

/// One VOI window (PS3.3 C.11.2.1.2), in modality units. It may be invalid: the display checks it.
struct Window {
  double center = 0;
  double width = 0;
  std::string explanation;  ///< WindowCenterWidthExplanation, often empty
};

/// VOILUTFunction (PS3.3 C.11.2.1.3).
enum class VoiFunction { linear, linear_exact, sigmoid };

/// A lookup table (PS3.3 C.11.1.1, C.11.2.1.1), one entry an input value from `first` on.
struct LookupTable {
  std::int32_t first = 0;  ///< input value of the first entry; smaller inputs take the first entry
  int bits = 16;           ///< bits of an entry; entries lie in 0..2^bits-1
  std::vector<std::uint16_t> entries;  ///< empty when the file's table is empty or too short
  std::string explanation;             ///< LUTExplanation, often empty
};

/// What a file says of its pixels, as it says it.
struct ImageAttributes {
  int rows = 0;
  int columns = 0;
  int frames = 1;
  int samples_per_pixel = 1;
  int bits_allocated = 16;
  int bits_stored = 16;
  int high_bit = 15;
  bool is_signed = false;
  std::string photometric_interpretation;  ///< "MONOCHROME2", "RGB", ...
  std::string transfer_syntax;             ///< UID, "1.2.840.10008.1.2.4.90"
  std::optional<double> rescale_slope;
  std::optional<double> rescale_intercept;
  std::optional<LookupTable> modality_lut;
  std::vector<Window> windows;  ///< alternatives (PS3.3 C.11.2.1.2.1)
  VoiFunction voi_function = VoiFunction::linear;
  std::string unknown_voi_function;   ///< VOILUTFunction where it is none of the three; else empty
  std::vector<LookupTable> voi_luts;  ///< alternatives
  std::optional<std::int32_t> padding_value;        ///< PixelPaddingValue, a stored value
  std::optional<std::int32_t> padding_range_limit;  ///< PixelPaddingRangeLimit, a stored value
  std::string presentation_lut_shape;               ///< "", "IDENTITY" or "INVERSE"
  std::string laterality;                           ///< "L", "R" or ""
  std::string view_position;                        ///< "CC", "MLO", ...
  std::string patient_id;
  std::string modality;
  std::string manufacturer;
  std::string sop_class_uid;
  std::string sop_instance_uid;
};

/// One frame's stored values, before any transformation.
struct DecodedFrame {
  ImageAttributes attributes;
  /// [rows, columns] of the full frame, or of what DecodeOptions asked for: CV_8UC1, CV_8SC1,
  /// CV_16UC1 or CV_16SC1 as BitsAllocated and PixelRepresentation say, CV_8UC3 or CV_16UC3 for
  /// colour (in the file's own colour model, colour by pixel).
  cv::Mat pixels;
  /// What is odd about the file and did not stop the reading, one line each.
  std::vector<std::string> notes;
  std::filesystem::path path;  ///< the file, for error messages; empty for images made in memory
};

/// Which part of a frame is decoded, and how finely.
struct DecodeOptions {
  /// How often rows and columns are halved while decoding (rounded up): 2 gives a quarter of each.
  /// Only JPEG 2000 can, and only as often as DicomImage::max_reduction says.
  int reduction = 0;
  /// In pixels of the full frame, left and top multiples of 2^reduction; empty: all of it. Only
  /// JPEG 2000 saves time with it; other syntaxes are decoded whole and cropped.
  cv::Rect area;
};

/// A DICOM file that is open: parsed once, its frames decoded as often and as finely as asked.
/// Reads files with and without a meta header; uncompressed (little and big endian, deflated), RLE,
/// JPEG (baseline to lossless) and JPEG 2000 transfer syntaxes. Different objects may be used in
/// different threads at once.
class DicomImage {
 public:
  /// Opens a file. Throws InputError naming the path and the attribute at fault.
  explicit DicomImage(const std::filesystem::path& path);
  /// The same for a file's bytes, which must outlive the object; `name` is for error messages.
  DicomImage(std::span<const std::byte> bytes, const std::filesystem::path& name);
  ~DicomImage();
  DicomImage(DicomImage&&) noexcept;
  DicomImage& operator=(DicomImage&&) noexcept;

  int frames() const;
  cv::Size size() const;  ///< columns and rows of a full frame
  /// How often a frame can be halved while it is decoded: its codestream's decomposition levels for
  /// JPEG 2000, 0 for others and for a codestream that is not whole or of another sign than
  /// PixelRepresentation. Throws InputError.
  int max_reduction(int frame = 0);
  /// One frame, 0 being the first. Bits above BitsStored are dropped (PS3.5 8.1.1), but kept where
  /// JPEG 2000 gave them. Throws InputError naming the path and the attribute at fault, Error for a
  /// reduction or an area that the frame does not have.
  DecodedFrame read(int frame = 0, const DecodeOptions& options = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mpbench::dicom
