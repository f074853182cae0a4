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

  /// Lets DCMTK's codecs compress the native PixelData.
  void compress(E_TransferSyntax syntax) {
    ASSERT_TRUE(dataset().chooseRepresentation(syntax, nullptr).good());
  }

  std::filesystem::path save(const std::filesystem::path& path,
                             E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
    const OFCondition saved = file_.saveFile(path.c_str(), syntax);
    EXPECT_TRUE(saved.good()) << saved.text();
    return path;
  }

 private:
  DcmFileFormat file_;
};

inline StoredImage read_stored(const std::filesystem::path& path, int frame = 0) {
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

/// A smooth picture with noise, using every value from `low` to `high`, different for every seed.
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

/// A picture of one row.
template <typename Sample>
cv::Mat row_of(const std::vector<Sample>& values) {
  return cv::Mat(values, true).reshape(1, 1);
}

inline bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.type() == b.type() && a.size() == b.size() &&
         cv::norm(a.reshape(1), b.reshape(1), cv::NORM_INF) == 0;
}

}  // namespace mpbench::dicom
