#include "mpbench/dicom/codecs.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcobject.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/oflog/oflog.h>

#include <mutex>

#include "jpeg/jpeg_log.hpp"

namespace mpbench::dicom {

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
  });
}

}  // namespace mpbench::dicom
