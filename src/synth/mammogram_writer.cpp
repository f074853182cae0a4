#include "mammogram_writer.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "mpbench/core/error.hpp"
#include "mpbench/dicom/codecs.hpp"
#include "mpbench/dicom/jpeg2000_encoder.hpp"
#include "random_stream.hpp"

namespace mpbench::synth {
namespace {

void check(const OFCondition& condition, const char* doing) {
  if (condition.bad())
    throw Error(fmt::format("cannot {} a DICOM file: {}", doing, condition.text()));
}

/// Fills a dataset; every refusal is an Error.
class Header {
 public:
  explicit Header(DcmItem& item) : item_(item) {}

  void text(const DcmTagKey& tag, const std::string& value) {
    check(item_.putAndInsertString(DcmTag(tag), value.c_str()), "fill in the header of");
  }
  void number(const DcmTagKey& tag, int value) {
    check(item_.putAndInsertUint16(DcmTag(tag), static_cast<Uint16>(value)),
          "fill in the header of");
  }
  void signed_number(const DcmTagKey& tag, int value) {
    check(item_.putAndInsertSint16(DcmTag(tag), static_cast<Sint16>(value)),
          "fill in the header of");
  }
  /// An attribute that must be there and may be empty (type 2).
  void empty(const DcmTagKey& tag) {
    check(item_.insertEmptyElement(DcmTag(tag)), "fill in the header of");
  }
  Header item(const DcmTagKey& sequence) {
    DcmItem* made = nullptr;
    check(item_.findOrCreateSequenceItem(DcmTag(sequence), made, -2), "fill in the header of");
    return Header(*made);
  }
  Header code(const DcmTagKey& sequence, const char* value, const char* meaning) {
    Header coded = item(sequence);
    coded.text(DCM_CodeValue, value);
    coded.text(DCM_CodingSchemeDesignator, "SCT");
    coded.text(DCM_CodeMeaning, meaning);
    return coded;
  }

 private:
  DcmItem& item_;
};

/// SNOMED CT codes of CID 4014 "View for Mammography" (PS3.16), in the order of View.
struct ViewCode {
  const char* value;
  const char* meaning;
};
constexpr std::array<ViewCode, 6> view_codes{{{"399162004", "cranio-caudal"},
                                              {"399368009", "medio-lateral oblique"},
                                              {"399260004", "medial-lateral"},
                                              {"399352003", "latero-medial"},
                                              {"399099002", "latero-medial oblique"},
                                              {"399368009", "medio-lateral oblique"}}};

std::string uid_of(const MammogramSource& source, std::uint64_t kind, std::uint64_t part) {
  const std::uint64_t key = derive_seed(derive_seed(source.set_key, kind), part);
  return make_uid(key, derive_seed(key, 1));
}

Detector detector_of(const MammogramSource& source) {
  RandomStream random(derive_seed(source.patient.seed, 7));
  Detector detector;
  detector.bits_stored = source.patient.machine->bits_stored;
  detector.inverted = source.patient.machine->monochrome1;
  detector.black = random.between(0.01, 0.06);
  detector.white = random.between(0.7, 0.92);
  return detector;
}

void put_patient_and_study(Header& header, const MammogramSource& source) {
  const SyntheticPatient& patient = source.patient;
  const std::string id = std::to_string(patient.patient_id);
  header.text(DCM_PatientName, "Synthetic^" + id);
  header.text(DCM_PatientID, id);
  header.empty(DCM_PatientBirthDate);
  header.text(DCM_PatientSex, "F");
  if (patient.age >= 0) header.text(DCM_PatientAge, fmt::format("{:03}Y", patient.age));
  header.text(DCM_StudyInstanceUID, uid_of(source, 1, patient.seed));
  header.empty(DCM_StudyDate);
  header.empty(DCM_StudyTime);
  header.empty(DCM_ReferringPhysicianName);
  header.text(DCM_StudyID, "1");
  header.empty(DCM_AccessionNumber);
  header.text(DCM_Modality, "MG");
  header.text(DCM_SeriesInstanceUID, uid_of(source, 2, patient.seed));
  header.text(DCM_SeriesNumber, "1");
  header.text(DCM_PresentationIntentType, "FOR PRESENTATION");
  header.text(DCM_Manufacturer, "mpbench synth");
  header.text(DCM_ManufacturerModelName, fmt::format("synthetic {}", patient.machine->id));
  header.text(DCM_DeviceSerialNumber, std::to_string(patient.machine->id));
  header.text(DCM_InstitutionName, fmt::format("site {}", patient.machine->site));
}

void put_projection(Header& header, const MammogramSource& source) {
  const View view = source.image.phantom.view;
  const bool left = source.breast.laterality == Laterality::left;
  header.text(DCM_SOPClassUID, UID_DigitalMammographyXRayImageStorageForPresentation);
  header.text(DCM_SOPInstanceUID, uid_of(source, 3, source.image.phantom.seed));
  header.text(DCM_InstanceNumber, std::to_string(source.instance_number));
  header.text(DCM_ImageType, "ORIGINAL\\PRIMARY");
  header.empty(DCM_ContentDate);
  header.empty(DCM_ContentTime);
  header.text(DCM_BodyPartExamined, "BREAST");
  header.text(DCM_OrganExposed, "BREAST");
  header.text(DCM_ImageLaterality, left ? "L" : "R");
  header.text(DCM_ViewPosition, std::string(to_string(view)));
  // Rows run from the chest wall to the nipple in a left breast, columns down: CC towards the
  // midline, others towards the feet.
  const bool from_above = view == View::cc;
  header.text(DCM_PatientOrientation,
              left ? (from_above ? "A\\R" : "A\\FR") : (from_above ? "P\\L" : "P\\FL"));
  const ViewCode& code = view_codes[static_cast<std::size_t>(view)];
  Header coded = header.code(DCM_ViewCodeSequence, code.value, code.meaning);
  if (view == View::at)
    coded.code(DCM_ViewModifierCodeSequence, "399011000", "Axillary Tail");
  else
    coded.empty(DCM_ViewModifierCodeSequence);
  header.code(DCM_AnatomicRegionSequence, "76752008", "Breast");
  header.text(DCM_PositionerType, "MAMMOGRAPHIC");
  header.text(DCM_BreastImplantPresent, source.patient.implant ? "YES" : "NO");
  header.text(DCM_PartialView, "NO");
  header.empty(DCM_AcquisitionContextSequence);
  header.text(DCM_DetectorType, "DIRECT");
  const double spacing = source.patient.machine->detector_height_mm / source.image.phantom.height;
  header.text(DCM_ImagerPixelSpacing, fmt::format("{0:.5f}\\{0:.5f}", spacing));
}

/// Windows that show luminance 0.03 to 0.97 or so, each machine in its own manner.
void put_windows(Header& header, const MammogramSource& source, const Detector& detector) {
  const Machine& machine = *source.patient.machine;
  RandomStream random(derive_seed(source.image.phantom.seed, 99));
  const double largest = (1 << detector.bits_stored) - 1;
  const double range = (detector.white - detector.black) * largest;
  double center = detector.black * largest + range * random.between(0.45, 0.53);
  if (detector.inverted) center = largest - center;
  const double width = range * random.between(0.86, 0.98);
  constexpr std::array<double, 3> stretch{1.0, 0.8, 1.25};
  constexpr std::array<const char*, 3> names{"NORMAL", "HARDER", "SOFTER"};
  std::string centers, widths, explanations;
  for (int i = 0; i < machine.windows; ++i) {
    const char* separator = i == 0 ? "" : "\\";
    const auto n = static_cast<std::size_t>(i);
    centers += fmt::format("{}{:.0f}", separator, std::round(center));
    widths += fmt::format("{}{:.0f}", separator, std::round(width * stretch[n]));
    explanations += fmt::format("{}{}", separator, names[n]);
  }
  header.text(DCM_WindowCenter, centers);
  header.text(DCM_WindowWidth, widths);
  if (machine.windows > 1) header.text(DCM_WindowCenterWidthExplanation, explanations);
  if (*machine.voi_function != '\0') header.text(DCM_VOILUTFunction, machine.voi_function);
}

void put_pixel_description(Header& header, const MammogramSource& source,
                           const Detector& detector) {
  header.number(DCM_SamplesPerPixel, 1);
  header.text(DCM_PhotometricInterpretation, detector.inverted ? "MONOCHROME1" : "MONOCHROME2");
  header.number(DCM_Rows, source.image.phantom.height);
  header.number(DCM_Columns, source.image.phantom.width);
  header.number(DCM_BitsAllocated, 16);
  header.number(DCM_BitsStored, detector.bits_stored);
  header.number(DCM_HighBit, detector.bits_stored - 1);
  header.number(DCM_PixelRepresentation, 0);
  header.text(DCM_PixelIntensityRelationship, "LOG");
  // -1: a higher value means that fewer rays came through, as bright tissue in MONOCHROME2.
  header.signed_number(DCM_PixelIntensityRelationshipSign, detector.inverted ? 1 : -1);
  header.text(DCM_RescaleIntercept, "0");
  header.text(DCM_RescaleSlope, "1");
  header.text(DCM_RescaleType, "US");
  header.text(DCM_PresentationLUTShape, detector.inverted ? "INVERSE" : "IDENTITY");
  header.text(DCM_LossyImageCompression, "00");
  // Asks for annotation that tells who the patient is; the marker does not.
  header.text(DCM_BurnedInAnnotation, "NO");
}

/// The pixel data as one JPEG 2000 frame, for which DCMTK has no codec.
void put_jpeg2000(DcmDataset& dataset, const cv::Mat& stored, int bits_stored, bool jp2) {
  std::vector<std::byte> frame = dicom::encode_jpeg2000_lossless(stored, bits_stored, false, jp2);
  if (frame.size() % 2 != 0) frame.push_back(std::byte{0});
  auto sequence = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelData, EVR_OB));
  // An empty offset table and, for bare codestreams, fragments of at most 64 KiB: a reader must put
  // up with both.
  check(sequence->insert(new DcmPixelItem(DcmTag(DCM_Item, EVR_OB))), "encode");
  DcmOffsetList offsets;
  check(sequence->storeCompressedFrame(offsets, reinterpret_cast<Uint8*>(frame.data()),
                                       static_cast<Uint32>(frame.size()), jp2 ? 0 : 64),
        "encode");
  auto element = std::make_unique<DcmPixelData>(DCM_PixelData);
  element->putOriginalRepresentation(EXS_JPEG2000LosslessOnly, nullptr, sequence.release());
  check(dataset.insert(element.get(), OFTrue), "encode");
  element.release();
}

E_TransferSyntax put_pixels(DcmDataset& dataset, const cv::Mat& stored, int bits_stored,
                            Encoding encoding) {
  if (encoding.syntax == SyntheticSyntax::jpeg2000) {
    put_jpeg2000(dataset, stored, bits_stored, encoding.wrapped_in_jp2);
    return EXS_JPEG2000LosslessOnly;
  }
  check(dataset.putAndInsertUint16Array(DCM_PixelData, stored.ptr<Uint16>(),
                                        static_cast<unsigned long>(stored.total())),
        "encode");
  E_TransferSyntax syntax = EXS_LittleEndianExplicit;
  if (encoding.syntax == SyntheticSyntax::rle) syntax = EXS_RLELossless;
  if (encoding.syntax == SyntheticSyntax::jpeg_lossless) syntax = EXS_JPEGProcess14SV1;
  if (syntax != EXS_LittleEndianExplicit) {
    check(dataset.chooseRepresentation(syntax, nullptr), "encode");
    dataset.removeAllButCurrentRepresentations();
  }
  return syntax;
}

std::vector<std::byte> serialize(DcmFileFormat& file, E_TransferSyntax syntax) {
  check(file.validateMetaInfo(syntax), "write");
  std::vector<std::byte> bytes;
  std::vector<Uint8> buffer(1 << 16);
  DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
  file.transferInit();
  OFCondition condition = EC_StreamNotifyClient;
  while (condition == EC_StreamNotifyClient) {
    condition =
        file.write(stream, syntax, EET_UndefinedLength, nullptr, EGL_recalcGL, EPD_noChange);
    void* filled = nullptr;
    offile_off_t length = 0;
    stream.flushBuffer(filled, length);
    const auto* from = static_cast<const std::byte*>(filled);
    bytes.insert(bytes.end(), from, from + length);
  }
  check(condition, "write");
  file.transferEnd();
  return bytes;
}

}  // namespace

std::string make_uid(std::uint64_t high, std::uint64_t low) {
  // Version 8 (any contents) and the variant of RFC 9562.
  high = (high & 0xffffffffffff0fffULL) | 0x8000;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  std::array<std::uint32_t, 4> words{
      static_cast<std::uint32_t>(high >> 32), static_cast<std::uint32_t>(high),
      static_cast<std::uint32_t>(low >> 32), static_cast<std::uint32_t>(low)};
  std::string digits;
  while (std::any_of(words.begin(), words.end(), [](std::uint32_t word) { return word != 0; })) {
    std::uint64_t rest = 0;
    for (std::uint32_t& word : words) {
      rest = (rest << 32) | word;
      word = static_cast<std::uint32_t>(rest / 10);
      rest %= 10;
    }
    digits.push_back(static_cast<char>('0' + rest));
  }
  std::reverse(digits.begin(), digits.end());
  return "2.25." + digits;
}

std::vector<std::byte> make_mammogram(const MammogramSource& source) {
  dicom::register_codecs();
  const Detector detector = detector_of(source);
  DcmFileFormat file;
  DcmDataset& dataset = *file.getDataset();
  Header header(dataset);
  put_patient_and_study(header, source);
  put_projection(header, source);
  put_pixel_description(header, source, detector);
  put_windows(header, source, detector);
  const cv::Mat stored = to_stored_values(draw_phantom(source.image.phantom), detector);
  const E_TransferSyntax syntax =
      put_pixels(dataset, stored, detector.bits_stored, source.image.encoding);
  return serialize(file, syntax);
}

}  // namespace mpbench::synth
