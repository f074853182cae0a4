#include "mpbench/dicom/dicom_file.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <fmt/format.h>

#include <opencv2/core.hpp>

#include "dataset_loader.hpp"
#include "frame_decoder.hpp"
#include "image_attributes.hpp"
#include "jpeg2000/jpeg2000_decoder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/dicom/codecs.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/file_type.hpp"
#include "pixel_format.hpp"

namespace mpbench::dicom {
namespace {

/// Reads a file. Anything else that has a name (a folder, a pipe, a device) is refused unopened:
/// opening a pipe would wait for its writer.
std::unique_ptr<FileBytes> read_file(const std::filesystem::path& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw FieldError("file", "there is no such file");
  }
  if (problem) throw FieldError("file", problem.message());
  if (std::filesystem::is_directory(status)) throw FieldError("file", "is a folder");
  if (!std::filesystem::is_regular_file(status)) throw FieldError("file", "is not a regular file");
  try {
    return std::make_unique<FileBytes>(path);
  } catch (const Error& error) {
    throw FieldError("file", std::string(error.what()).substr(path.string().size() + 2));
  }
}

void load(std::span<const std::byte> bytes, DcmFileFormat& file, std::vector<std::string>& notes) {
  if (bytes.empty()) throw FieldError("file", "is empty");
  const OFCondition loaded = load_dataset(bytes, file, notes);
  OFString uid;
  const bool has_meta =
      file.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, uid).good() && !uid.empty();
  if (has_meta && DcmXfer(uid.c_str()).getXfer() == EXS_Unknown) {
    throw FieldError("TransferSyntaxUID", fmt::format("{} is not known", uid.c_str()));
  }
  if (loaded.bad()) {
    DcmDataset& dataset = *file.getDataset();
    const bool has_pixels = dataset.tagExists(DCM_PixelData);
    if (!has_meta && (dataset.card() == 0 || !has_pixels)) {
      const auto type = file_type(bytes);
      const bool is_other = type != FileType::unknown && type != FileType::dicom;
      throw FieldError("file", is_other ? fmt::format("is not DICOM: it is {}", describe(type))
                                        : fmt::format("is not DICOM ({})", loaded.text()));
    }
    // PixelData comes nearly last: once it has begun, it is what the file breaks off in.
    throw FieldError(has_pixels ? "PixelData" : "dataset",
                     fmt::format("cannot be read to its end: {}", loaded.text()));
  }
  if (!has_meta) notes.emplace_back("no transfer syntax in a meta header: it was guessed");
}

DcmPixelData& find_pixel_data(DcmDataset& dataset) {
  DcmElement* element = nullptr;
  dataset.findAndGetElement(DCM_PixelData, element);
  auto* pixel_data = dynamic_cast<DcmPixelData*>(element);
  if (pixel_data == nullptr && !dcmDataDict.isDictionaryLoaded()) {
    // Which elements there are in a file of implicit VR is told by the dictionary alone.
    throw FieldError("PixelData",
                     "cannot be told without DCMTK's data dictionary: set DCMDICTPATH to the path "
                     "of its dicom.dic");
  }
  if (pixel_data == nullptr) throw FieldError("PixelData", "is missing: not a DICOM image");
  return *pixel_data;
}

void note_values(const DecodedFrame& image, std::vector<std::string>& notes) {
  double low = 0;
  double high = 0;
  cv::minMaxLoc(image.pixels.reshape(1), &low, &high);
  const ImageAttributes& attributes = image.attributes;
  const double most = (1 << (attributes.bits_stored - (attributes.is_signed ? 1 : 0))) - 1;
  if (high > most) {
    notes.push_back(
        fmt::format("values up to {} exceed BitsStored {}", high, attributes.bits_stored));
  }
  if (low == high) notes.push_back(fmt::format("every value is {}", low));
}

/// Does something with a file, and puts the file's name to what goes wrong.
template <typename Work>
auto naming(const std::filesystem::path& path, Work work) {
  try {
    return work();
  } catch (const FieldError& problem) {
    throw InputError(path, problem.field(), problem.what());
  } catch (const std::bad_alloc&) {
    throw InputError(path, "PixelData", "needs more memory than there is");
  } catch (const cv::Exception& problem) {
    throw InputError(path, "PixelData", problem.err);
  }
}

}  // namespace

struct DicomImage::State {
  explicit State(std::filesystem::path name) : path(std::move(name)) {}
  void open(std::span<const std::byte> bytes);
  void check_frame(int frame) const;
  DecodedFrame read(int frame, const DecodeOptions& options);

  std::filesystem::path path;
  std::unique_ptr<FileBytes> content;  // before `file`, which reads from it
  DcmFileFormat file;
  DcmPixelData* pixel_data = nullptr;
  Coding coding = Coding::native;
  PixelFormat format;
  std::vector<std::string> notes;
};

void DicomImage::State::open(std::span<const std::byte> bytes) {
  load(bytes, file, notes);
  DcmDataset& dataset = *file.getDataset();
  pixel_data = &find_pixel_data(dataset);
  coding = coding_of(DcmXfer(dataset.getOriginalXfer()));
  format = read_pixel_format(dataset);
  check_photometric(format, coding);
  if (format.frames > 1) notes.push_back(fmt::format("it has {} frames", format.frames));
}

void DicomImage::State::check_frame(int frame) const {
  if (frame < 0 || frame >= format.frames) {
    throw FieldError("NumberOfFrames",
                     fmt::format("is {}: there is no frame {}", format.frames, frame));
  }
}

DecodedFrame DicomImage::State::read(int frame, const DecodeOptions& options) {
  check_frame(frame);
  DcmDataset& dataset = *file.getDataset();
  const DcmXfer syntax(dataset.getOriginalXfer());
  DecodedFrame image;
  image.path = path;
  image.notes = notes;
  PixelFormat decoded = format;
  image.pixels =
      decode_frame(dataset, *pixel_data, syntax, coding, decoded, frame, options, image.notes);
  if (coding != Coding::jpeg2000 && !options.area.empty()) {
    image.pixels = image.pixels(options.area).clone();
  }
  image.attributes = read_attributes(dataset, decoded, frame, image.notes);
  image.attributes.transfer_syntax = syntax.getXferID();
  note_values(image, image.notes);
  for (std::string& note : image.notes) note = printable_text(note);
  return image;
}

DicomImage::DicomImage(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
  register_codecs();
  naming(path, [&] {
    state_->content = read_file(path);
    state_->open(state_->content->bytes());
  });
}

DicomImage::DicomImage(std::span<const std::byte> bytes, const std::filesystem::path& name)
    : state_(std::make_unique<State>(name)) {
  register_codecs();
  naming(name, [&] { state_->open(bytes); });
}

DicomImage::~DicomImage() = default;
DicomImage::DicomImage(DicomImage&&) noexcept = default;
DicomImage& DicomImage::operator=(DicomImage&&) noexcept = default;

int DicomImage::frames() const { return state_->format.frames; }
cv::Size DicomImage::size() const { return {state_->format.columns, state_->format.rows}; }

int DicomImage::max_reduction(int frame) {
  if (state_->coding != Coding::jpeg2000) return 0;
  return naming(state_->path, [&] {
    state_->check_frame(frame);
    const DcmXfer syntax(state_->file.getDataset()->getOriginalXfer());
    const auto encoded = encoded_frame(*state_->pixel_data, syntax, state_->format, frame);
    return dicom::max_reduction(encoded.bytes, state_->format);
  });
}

DecodedFrame DicomImage::read(int frame, const DecodeOptions& options) {
  if (options.reduction < 0 ||
      (options.reduction > 0 && options.reduction > max_reduction(frame))) {
    throw Error(fmt::format("{}: frame {} cannot be halved {} times", state_->path.string(), frame,
                            options.reduction));
  }
  const cv::Rect whole(cv::Point(), size());
  if ((options.area & whole) != options.area) {
    throw Error(
        fmt::format("{}: the area to decode lies outside the frame", state_->path.string()));
  }
  return naming(state_->path, [&] { return state_->read(frame, options); });
}

}  // namespace mpbench::dicom
