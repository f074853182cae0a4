#include "image_attributes.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcitem.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "lookup_table.hpp"
#include "mpbench/core/utf8_text.hpp"

namespace mpbench::dicom {
namespace {

/// Windows and VOI LUTs are alternatives, of which real files have a few; DCMTK takes time linear
/// in its number to find one.
constexpr unsigned long most_alternatives = 64;

std::string text_of(DcmItem& item, const DcmTagKey& tag, unsigned long position = 0) {
  OFString value;
  if (item.findAndGetOFString(tag, value, position).bad()) return {};
  std::string text(value.c_str(), value.size());
  const auto outside = [](char c) { return c == ' ' || c == '\t' || c == '\0'; };
  while (!text.empty() && outside(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), outside));
  return printable_text(text);
}

/// A decimal string as a number; NaN when it is none, so that whoever uses it can say so.
double number_of(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return value;
}

std::optional<double> optional_number(DcmItem& item, const DcmTagKey& tag) {
  const std::string text = text_of(item, tag);
  if (text.empty()) return std::nullopt;
  return number_of(text);
}

unsigned long value_count(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return 0;
  return element->getVM();
}

/// A 16-bit stored value, whose VR (US or SS) writers get wrong: PixelRepresentation decides.
std::optional<std::int32_t> stored_value(DcmItem& item, const DcmTagKey& tag, bool is_signed) {
  Uint16 bits = 0;
  Sint16 as_signed = 0;
  if (item.findAndGetUint16(tag, bits).bad()) {
    if (item.findAndGetSint16(tag, as_signed).bad()) return std::nullopt;
    bits = static_cast<Uint16>(as_signed);
  }
  if (is_signed) return static_cast<Sint16>(bits);
  return bits;
}

/// The item of a functional group for this frame, or null where the object has none.
DcmItem* functional_group(DcmItem& dataset, int frame, const DcmTagKey& group) {
  DcmItem* frame_item = nullptr;
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(DCM_PerFrameFunctionalGroupsSequence, frame_item, frame)
          .good() &&
      frame_item->findAndGetSequenceItem(group, item, 0).good()) {
    return item;
  }
  if (dataset.findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, frame_item, 0).good() &&
      frame_item->findAndGetSequenceItem(group, item, 0).good()) {
    return item;
  }
  return nullptr;
}

/// Stored values as the dataset describes them.
TableInput stored_input(const PixelFormat& format) {
  const double values = 1 << format.bits_stored;
  if (format.is_signed) return {-values / 2, values / 2 - 1, true, "PixelRepresentation"};
  return {0, values - 1, false, "PixelRepresentation"};
}

/// The values that a VOI LUT gets: stored ones, or what the modality transformation makes of them.
/// Their sign is that of the table's first input value (PS3.3 C.11.2.1.1).
TableInput voi_input(const ImageAttributes& attributes, const TableInput& stored) {
  if (attributes.modality_lut) {
    const double most = (1 << std::clamp(attributes.modality_lut->bits, 8, 16)) - 1;
    return {0, most, false, "a modality LUT"};
  }
  if (!attributes.rescale_slope && !attributes.rescale_intercept) return stored;
  const double slope = attributes.rescale_slope.value_or(1);
  const double intercept = attributes.rescale_intercept.value_or(0);
  const auto [low, high] =
      std::minmax({slope * stored.low + intercept, slope * stored.high + intercept});
  if (!std::isfinite(low) || !std::isfinite(high)) return stored;
  return {low, high, low < 0, "RescaleSlope and RescaleIntercept"};
}

void read_windows(DcmItem& item, const TableInput& input, bool explicit_vr,
                  ImageAttributes& attributes, std::vector<std::string>& notes) {
  const unsigned long centers = value_count(item, DCM_WindowCenter);
  const unsigned long widths = value_count(item, DCM_WindowWidth);
  if (centers != widths) {
    notes.push_back(fmt::format("{} window centers and {} widths", centers, widths));
  }
  if (std::min(centers, widths) > most_alternatives) {
    notes.push_back(fmt::format("{} windows: the first {} are read", std::min(centers, widths),
                                most_alternatives));
  }
  for (unsigned long i = 0; i < std::min({centers, widths, most_alternatives}); ++i) {
    attributes.windows.push_back({number_of(text_of(item, DCM_WindowCenter, i)),
                                  number_of(text_of(item, DCM_WindowWidth, i)),
                                  text_of(item, DCM_WindowCenterWidthExplanation, i)});
  }
  const std::string function = text_of(item, DCM_VOILUTFunction);
  if (function == "SIGMOID") {
    attributes.voi_function = VoiFunction::sigmoid;
  } else if (function == "LINEAR_EXACT") {
    attributes.voi_function = VoiFunction::linear_exact;
  } else if (!function.empty() && function != "LINEAR") {
    attributes.unknown_voi_function = function;
    notes.push_back(fmt::format("VOILUTFunction '{}' is not known", function));
  }
  DcmItem* table = nullptr;
  for (signed long i = 0; item.findAndGetSequenceItem(DCM_VOILUTSequence, table, i).good(); ++i) {
    if (attributes.voi_luts.size() == most_alternatives) {
      notes.push_back(fmt::format("VOILUTSequence: the first {} are read", most_alternatives));
      break;
    }
    attributes.voi_luts.push_back(read_table(*table, "VOILUTSequence", input, explicit_vr, notes));
    note_unused_bits(attributes.voi_luts.back(), notes);
  }
}

}  // namespace

ImageAttributes read_attributes(DcmItem& dataset, const PixelFormat& format, int frame,
                                std::vector<std::string>& notes) {
  ImageAttributes attributes;
  attributes.rows = format.rows;
  attributes.columns = format.columns;
  attributes.frames = format.frames;
  attributes.samples_per_pixel = format.samples;
  attributes.bits_allocated = format.bits_allocated;
  attributes.bits_stored = format.bits_stored;
  attributes.high_bit = format.high_bit;
  attributes.is_signed = format.is_signed;
  attributes.photometric_interpretation = format.photometric;

  const TableInput stored = stored_input(format);
  const auto* whole = dynamic_cast<DcmDataset*>(&dataset);
  const bool explicit_vr =
      whole != nullptr && DcmXfer(whole->getOriginalXfer()).isExplicitVR() == OFTrue;
  DcmItem* transformation = functional_group(dataset, frame, DCM_PixelValueTransformationSequence);
  DcmItem& modality = transformation != nullptr ? *transformation : dataset;
  attributes.rescale_slope = optional_number(modality, DCM_RescaleSlope);
  attributes.rescale_intercept = optional_number(modality, DCM_RescaleIntercept);
  DcmItem* table = nullptr;
  if (dataset.findAndGetSequenceItem(DCM_ModalityLUTSequence, table, 0).good()) {
    attributes.modality_lut = read_table(*table, "ModalityLUTSequence", stored, explicit_vr, notes);
  }
  DcmItem* voi = functional_group(dataset, frame, DCM_FrameVOILUTSequence);
  read_windows(voi != nullptr ? *voi : dataset, voi_input(attributes, stored), explicit_vr,
               attributes, notes);

  attributes.padding_value = stored_value(dataset, DCM_PixelPaddingValue, format.is_signed);
  attributes.padding_range_limit =
      stored_value(dataset, DCM_PixelPaddingRangeLimit, format.is_signed);
  attributes.presentation_lut_shape = text_of(dataset, DCM_PresentationLUTShape);
  attributes.laterality = text_of(dataset, DCM_ImageLaterality);
  if (attributes.laterality.empty()) attributes.laterality = text_of(dataset, DCM_Laterality);
  attributes.view_position = text_of(dataset, DCM_ViewPosition);
  attributes.patient_id = text_of(dataset, DCM_PatientID);
  attributes.modality = text_of(dataset, DCM_Modality);
  attributes.manufacturer = text_of(dataset, DCM_Manufacturer);
  attributes.sop_class_uid = text_of(dataset, DCM_SOPClassUID);
  attributes.sop_instance_uid = text_of(dataset, DCM_SOPInstanceUID);
  return attributes;
}

}  // namespace mpbench::dicom
