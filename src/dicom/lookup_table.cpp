#include "lookup_table.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcitem.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "mpbench/core/utf8_text.hpp"

namespace mpbench::dicom {
namespace {

/// An element's 16-bit words, whether it is US, SS or OW; empty when it is none of these.
std::vector<std::uint16_t> words_of(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return {};
  const std::size_t count = element->getLength() / 2;
  Uint16* words = nullptr;
  Sint16* signed_words = nullptr;
  if (element->getUint16Array(words).good() && words != nullptr) return {words, words + count};
  if (element->getSint16Array(signed_words).good() && signed_words != nullptr) {
    std::vector<std::uint16_t> converted(count);
    std::copy_n(signed_words, count, converted.begin());
    return converted;
  }
  return {};
}

/// What an element's VR says of its sign; nothing where it is neither US nor SS.
std::optional<bool> sign_by_vr(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return std::nullopt;
  if (element->ident() == EVR_SS) return true;
  if (element->ident() == EVR_US) return false;
  return std::nullopt;
}

bool reaches(std::int32_t first, std::size_t count, const TableInput& input) {
  return first <= input.high && first + static_cast<double>(count) - 1 >= input.low;
}

std::int32_t first_input(std::uint16_t word, bool is_signed) {
  return is_signed ? std::int32_t{static_cast<std::int16_t>(word)} : std::int32_t{word};
}

/// The descriptor's second value.
std::int32_t read_first_input(DcmItem& item, std::uint16_t word, std::size_t count,
                              const char* name, const TableInput& input, bool explicit_vr,
                              std::vector<std::string>& notes) {
  const std::int32_t usual = first_input(word, input.is_signed);
  const std::int32_t other = first_input(word, !input.is_signed);
  if (usual == other) return usual;
  const char* sign = input.is_signed ? "signed" : "unsigned";
  const auto stated = explicit_vr ? sign_by_vr(item, DCM_LUTDescriptor) : std::nullopt;
  const bool vr_differs = stated.has_value() && *stated != input.is_signed;
  if (!reaches(usual, count, input) && (vr_differs || reaches(other, count, input))) {
    notes.push_back(fmt::format(
        "{}: LUTDescriptor's first input value is read as {}: as {}, which {} asks for, "
        "it would be {}, beyond all pixels",
        name, other, sign, input.decided_by, usual));
    return other;
  }
  if (vr_differs) {
    notes.push_back(
        fmt::format("{}: LUTDescriptor's first input value is read as {}: its VR is {}, but by {} "
                    "it is {}",
                    name, usual, *stated ? "SS" : "US", input.decided_by, sign));
  }
  return usual;
}

std::string explanation_of(DcmItem& item) {
  OFString value;
  if (item.findAndGetOFString(DCM_LUTExplanation, value).bad()) return {};
  std::string text(value.c_str(), value.size());
  text.erase(text.find_last_not_of(std::string(" \t\0", 3)) + 1);
  text.erase(0, text.find_first_not_of(" \t"));
  return printable_text(text);
}

}  // namespace

LookupTable read_table(DcmItem& item, const char* name, const TableInput& input, bool explicit_vr,
                       std::vector<std::string>& notes) {
  LookupTable table;
  table.explanation = explanation_of(item);
  const auto descriptor = words_of(item, DCM_LUTDescriptor);
  if (descriptor.size() != 3) {
    notes.push_back(fmt::format("{}: LUTDescriptor has {} values, not 3", name, descriptor.size()));
    return table;
  }
  // The number of entries is unsigned even in a signed descriptor; 0 stands for 65536.
  const std::size_t count = descriptor[0] == 0 ? 65536 : descriptor[0];
  table.first = read_first_input(item, descriptor[1], count, name, input, explicit_vr, notes);
  table.bits = descriptor[2];
  if (table.bits < 8 || table.bits > 16) {
    notes.push_back(fmt::format("{}: {} bits an entry, not 8 to 16", name, table.bits));
    return table;
  }
  const auto words = words_of(item, DCM_LUTData);
  if (words.size() >= count) {
    table.entries.assign(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  } else if (table.bits == 8 && words.size() == (count + 1) / 2) {
    // Two 8-bit entries a word, the first in the low byte.
    for (std::size_t i = 0; i < count; ++i) {
      table.entries.push_back(
          static_cast<std::uint16_t>(i % 2 == 0 ? words[i / 2] & 0xFF : words[i / 2] >> 8));
    }
  } else {
    notes.push_back(fmt::format("{}: LUTData has {} entries, the descriptor says {}", name,
                                words.size(), count));
  }
  return table;
}

void note_unused_bits(const LookupTable& table, std::vector<std::string>& notes) {
  if (table.entries.empty()) return;
  const std::uint16_t most = *std::max_element(table.entries.begin(), table.entries.end());
  if (static_cast<int>(std::bit_width(most)) > table.bits - 2) return;
  notes.push_back(fmt::format(
      "VOILUTSequence: entries have {} bits by LUTDescriptor, and none is over {}: they "
      "are shown on the scale of {} bits",
      table.bits, most, table.bits));
}

}  // namespace mpbench::dicom
