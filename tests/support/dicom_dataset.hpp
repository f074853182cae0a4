#pragma once

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcofsetl.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/dicom/jpeg2000_encoder.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::dicom {

using Bytes = std::vector<std::byte>;

/// A dataset under construction: what the pixel module asks for, then PixelData in some form.
class TestDataset {
 public:
  TestDataset(int rows, int columns, int bits_allocated, int bits_stored, bool is_signed,
              int samples = 1) {
    set(DCM_SOPClassUID, UID_SecondaryCaptureImageStorage);
    set(DCM_SOPInstanceUID, "1.2.826.0.1.3680043.10.1");
    set(DCM_PatientID, "P1");
    set(DCM_SamplesPerPixel, static_cast<Uint16>(samples));
    set(DCM_PhotometricInterpretation, samples == 1 ? "MONOCHROME2" : "RGB");
    if (samples > 1) set(DCM_PlanarConfiguration, Uint16{0});
    set(DCM_Rows, static_cast<Uint16>(rows));
    set(DCM_Columns, static_cast<Uint16>(columns));
    set(DCM_BitsAllocated, static_cast<Uint16>(bits_allocated));
    set(DCM_BitsStored, static_cast<Uint16>(bits_stored));
    set(DCM_HighBit, static_cast<Uint16>(bits_stored - 1));
    set(DCM_PixelRepresentation, static_cast<Uint16>(is_signed ? 1 : 0));
  }

  DcmDataset& dataset() { return *file_.getDataset(); }
  void set(const DcmTagKey& tag, const char* value) { dataset().putAndInsertString(tag, value); }
  void set(const DcmTagKey& tag, Uint16 value) { dataset().putAndInsertUint16(tag, value); }

  void set_native(const Bytes& pixels) {
    std::vector<Uint16> words((pixels.size() + 1) / 2);
    std::memcpy(words.data(), pixels.data(), pixels.size());
    dataset().putAndInsertUint16Array(DCM_PixelData, words.data(), words.size());
  }
  void set_native(const cv::Mat& pixels) {
    const auto* data = reinterpret_cast<const std::byte*>(pixels.data);
    set_native(Bytes(data, data + pixels.total() * pixels.elemSize()));
  }

  /// Fragments as they are, after an offset table (empty unless given).
  void set_fragments(E_TransferSyntax syntax, const std::vector<Bytes>& fragments,
                     const std::vector<Uint32>& offsets = {}) {
    auto* sequence = new DcmPixelSequence(DcmTag(DCM_PixelData, EVR_OB));
    auto* table = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
    if (!offsets.empty()) {
      table->putUint8Array(reinterpret_cast<const Uint8*>(offsets.data()),
                           static_cast<Uint32>(4 * offsets.size()));
    }
    sequence->insert(table);
    for (Bytes fragment : fragments) {
      if (fragment.size() % 2 != 0) fragment.push_back(std::byte{0});
      auto* item = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
      item->putUint8Array(reinterpret_cast<const Uint8*>(fragment.data()),
                          static_cast<Uint32>(fragment.size()));
      sequence->insert(item);
    }
    auto* element = new DcmPixelData(DCM_PixelData);
    element->putOriginalRepresentation(syntax, nullptr, sequence);
    dataset().insert(element, OFTrue);
  }

  /// Compresses the native PixelData: by DCMTK's codecs, and each frame in a fragment where it has
  /// none.
  void compress(E_TransferSyntax syntax) {
    if (syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000) {
      set_fragments(syntax, jpeg2000_frames());
      return;
    }
    ASSERT_TRUE(dataset().chooseRepresentation(syntax, nullptr).good());
  }

  std::filesystem::path save(const std::filesystem::path& path,
                             E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
    const OFCondition saved = file_.saveFile(path.c_str(), syntax);
    EXPECT_TRUE(saved.good()) << saved.text();
    return path;
  }

 private:
  Uint16 number(const DcmTagKey& tag) {
    Uint16 value = 0;
    dataset().findAndGetUint16(tag, value);
    return value;
  }

  std::vector<Bytes> jpeg2000_frames() {
    const Uint16* words = nullptr;
    unsigned long count = 0;
    dataset().findAndGetUint16Array(DCM_PixelData, words, &count);
    const bool is_signed = number(DCM_PixelRepresentation) != 0;
    const int depth = number(DCM_BitsAllocated) == 8 ? (is_signed ? CV_8S : CV_8U)
                                                     : (is_signed ? CV_16S : CV_16U);
    const int rows = number(DCM_Rows);
    const int columns = number(DCM_Columns);
    const int type = CV_MAKETYPE(depth, number(DCM_SamplesPerPixel));
    const std::size_t frame_bytes =
        static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * CV_ELEM_SIZE(type);
    // OpenCV has no read-only view.
    auto* bytes = reinterpret_cast<std::byte*>(const_cast<Uint16*>(words));
    std::vector<Bytes> frames;
    for (std::size_t at = 0; at + frame_bytes <= 2 * count; at += frame_bytes) {
      frames.push_back(encode_jpeg2000_lossless(cv::Mat(rows, columns, type, bytes + at),
                                                number(DCM_BitsStored), is_signed, false));
    }
    return frames;
  }

  DcmFileFormat file_;
};

inline DecodedFrame read_stored(const std::filesystem::path& path, int frame = 0) {
  return DicomImage(path).read(frame);
}

/// A file's bytes, and a file of bytes, for damaging one.
inline Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}
inline void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

/// A smooth image with noise, using every value from `low` to `high`, different for every seed.
inline cv::Mat test_picture(int rows, int columns, int type, int low, int high, int seed = 1) {
  cv::Mat wide(rows, columns, CV_MAKETYPE(CV_32S, CV_MAT_CN(type)));
  cv::RNG random(static_cast<std::uint64_t>(seed));
  random.fill(wide, cv::RNG::UNIFORM, low, high + 1);
  auto* values = wide.ptr<std::int32_t>();
  values[0] = low;
  values[1] = high;
  cv::Mat picture;
  wide.convertTo(picture, type);
  return picture;
}

/// An image of one row.
template <typename Sample>
cv::Mat row_of(const std::vector<Sample>& values) {
  return cv::Mat(values, true).reshape(1, 1);
}

inline bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.type() == b.type() && a.size() == b.size() &&
         cv::norm(a.reshape(1), b.reshape(1), cv::NORM_INF) == 0;
}

}  // namespace mpbench::dicom
