#include "mpbench/dicom/jpeg2000_codec.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dccodec.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcofsetl.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcstack.h>
#include <dcmtk/dcmdata/dcvr.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include "../frame_fragments.hpp"
#include "../jpeg/jpeg_log.hpp"
#include "../pixel_format.hpp"
#include "jpeg2000_decoder.hpp"

namespace mpbench::dicom {
namespace {

class Jpeg2000CodecParameter : public DcmCodecParameter {
 public:
  DcmCodecParameter* clone() const override { return new Jpeg2000CodecParameter(*this); }
  const char* className() const override { return "Jpeg2000CodecParameter"; }
};

/// What DCMTK's callers see of a failure. OFModule 1023 and codes below it are free for
/// applications.
OFCondition failure(const std::exception& problem) {
  return OFCondition(OFM_dcmdata, 0x4A32, OF_error, problem.what());
}

DcmItem* enclosing_item(const DcmStack& stack) {
  DcmStack objects(stack);
  objects.pop();  // the pixel data element itself
  DcmObject* object = objects.pop();
  if (object == nullptr || (object->ident() != EVR_dataset && object->ident() != EVR_item)) {
    throw FieldError("PixelData", "does not lie in a dataset");
  }
  return static_cast<DcmItem*>(object);
}

bool is_component_transform(const std::string& photometric) {
  return photometric == "YBR_RCT" || photometric == "YBR_ICT";
}

/// JPEG 2000 for DCMTK. Lossless only when it encodes: .91 then carries a reversible codestream, as
/// PS3.5 A.4.4 permits.
class Jpeg2000Codec : public DcmCodec {
 public:
  OFCondition decode(const DcmRepresentationParameter*, DcmPixelSequence* sequence,
                     DcmPolymorphOBOW& uncompressed, const DcmCodecParameter*,
                     const DcmStack& stack, OFBool& remove_old) const override {
    try {
      DcmItem& dataset = *enclosing_item(stack);
      const PixelFormat format = read_pixel_format(dataset);
      const std::size_t frame_bytes = format.frame_bytes();
      const std::size_t all = frame_bytes * static_cast<std::size_t>(format.frames);
      if (all / frame_bytes != static_cast<std::size_t>(format.frames) || all >= 0xFFFFFFFE) {
        throw FieldError("NumberOfFrames", "the frames together need over 4 GiB");
      }
      // Frames are decoded before the element grows, so that a wrong count cannot ask for memory.
      std::vector<std::byte> pixels;
      for (int frame = 0; frame < format.frames; ++frame) {
        const auto encoded =
            read_fragments(*sequence, find_fragments(*sequence, frame, format.frames));
        const cv::Mat decoded = decode_jpeg2000(encoded.bytes, format);
        const auto* data = reinterpret_cast<const std::byte*>(decoded.data);
        pixels.insert(pixels.end(), data, data + frame_bytes);
      }
      Uint16* words = nullptr;
      OFCondition result =
          uncompressed.createUint16Array(static_cast<Uint32>((all + 1) / 2), words);
      if (result.bad()) return result;
      words[(all + 1) / 2 - 1] = 0;
      std::copy(pixels.begin(), pixels.end(), reinterpret_cast<std::byte*>(words));
      if (format.samples > 1) {
        result = dataset.putAndInsertUint16(DCM_PlanarConfiguration, 0);
        if (result.good() && is_component_transform(format.photometric)) {
          result = dataset.putAndInsertString(DCM_PhotometricInterpretation, "RGB");
        }
        remove_old = OFTrue;
      }
      return result;
    } catch (const std::exception& problem) {
      return failure(problem);
    }
  }

  OFCondition decodeFrame(const DcmRepresentationParameter*, DcmPixelSequence* sequence,
                          const DcmCodecParameter*, DcmItem* dataset, Uint32 frame,
                          Uint32& start_fragment, void* buffer, Uint32 buffer_size,
                          OFString& color_model) const override {
    try {
      const PixelFormat format = read_pixel_format(*dataset);
      const FrameFragments fragments =
          find_fragments(*sequence, static_cast<int>(frame), format.frames);
      const auto encoded = read_fragments(*sequence, fragments);
      if (buffer_size < format.frame_bytes()) {
        throw FieldError("PixelData", "the buffer is too small for the frame");
      }
      std::memcpy(buffer, decode_jpeg2000(encoded.bytes, format).data, format.frame_bytes());
      start_fragment = static_cast<Uint32>(fragments.last);
      color_model = is_component_transform(format.photometric) ? "RGB" : format.photometric.c_str();
      return EC_Normal;
    } catch (const std::exception& problem) {
      return failure(problem);
    }
  }

  OFCondition encode(const Uint16* pixels, const Uint32 length, const DcmRepresentationParameter*,
                     DcmPixelSequence*& sequence, const DcmCodecParameter*, DcmStack& stack,
                     OFBool& remove_old) const override {
    try {
      const PixelFormat format = read_pixel_format(*enclosing_item(stack));
      if (format.planar) {
        throw FieldError("PlanarConfiguration", "1 (colour by plane) is not encoded");
      }
      if (length / format.frame_bytes() < static_cast<std::size_t>(format.frames)) {
        throw FieldError("PixelData", "is shorter than Rows x Columns x NumberOfFrames");
      }
      auto encoded = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelData, EVR_OB));
      encoded->insert(new DcmPixelItem(DcmTag(DCM_Item, EVR_OB)));
      DcmOffsetList offsets;
      const int depth = format.bits_allocated == 8 ? (format.is_signed ? CV_8S : CV_8U)
                                                   : (format.is_signed ? CV_16S : CV_16U);
      // OpenCV has no read-only view; encode_jpeg2000_lossless only reads.
      auto* bytes = reinterpret_cast<std::byte*>(const_cast<Uint16*>(pixels));
      for (int frame = 0; frame < format.frames; ++frame) {
        const cv::Mat view(format.rows, format.columns, CV_MAKETYPE(depth, format.samples),
                           bytes + static_cast<std::size_t>(frame) * format.frame_bytes());
        auto codestream =
            encode_jpeg2000_lossless(view, format.bits_stored, format.is_signed, false);
        const OFCondition stored =
            encoded->storeCompressedFrame(offsets, reinterpret_cast<Uint8*>(codestream.data()),
                                          static_cast<Uint32>(codestream.size()), 0);
        if (stored.bad()) return stored;
      }
      DcmPixelItem* table = nullptr;
      if (encoded->getItem(table, 0).good() && format.frames > 1) table->createOffsetTable(offsets);
      sequence = encoded.release();
      remove_old = OFFalse;
      return EC_Normal;
    } catch (const std::exception& problem) {
      return failure(problem);
    }
  }

  OFCondition encode(const E_TransferSyntax, const DcmRepresentationParameter*, DcmPixelSequence*,
                     const DcmRepresentationParameter*, DcmPixelSequence*&,
                     const DcmCodecParameter*, DcmStack&, OFBool&) const override {
    return EC_IllegalCall;  // DCMTK decodes and encodes when no codec transcodes
  }

  OFBool canChangeCoding(const E_TransferSyntax from, const E_TransferSyntax to) const override {
    const auto is_jpeg2000 = [](E_TransferSyntax syntax) {
      return syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000;
    };
    return is_jpeg2000(from) != is_jpeg2000(to) &&
                   !DcmXfer(is_jpeg2000(from) ? to : from).isEncapsulated()
               ? OFTrue
               : OFFalse;
  }

  OFCondition determineDecompressedColorModel(const DcmRepresentationParameter*, DcmPixelSequence*,
                                              const DcmCodecParameter*, DcmItem* dataset,
                                              OFString& color_model) const override {
    const OFCondition found =
        dataset->findAndGetOFString(DCM_PhotometricInterpretation, color_model);
    if (is_component_transform(color_model.c_str())) color_model = "RGB";
    return found;
  }
};

}  // namespace

void register_codecs() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    listen_to_jpeg_log();
    // Attributes written with VR UN are read with the VR that the dictionary gives them.
    dcmEnableUnknownVRConversion.set(OFTrue);
    DcmRLEDecoderRegistration::registerCodecs();
    DcmRLEEncoderRegistration::registerCodecs();
    // Colour stays as it is stored: this program converts nothing behind the reader's back.
    DJDecoderRegistration::registerCodecs(EDC_never, EUC_default, EPC_colorByPixel);
    DJEncoderRegistration::registerCodecs();
    static const Jpeg2000Codec codec;
    static const Jpeg2000CodecParameter parameter;
    DcmCodecList::registerCodec(&codec, nullptr, &parameter);
  });
}

}  // namespace mpbench::dicom
