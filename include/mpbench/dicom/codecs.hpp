#pragma once

namespace mpbench::dicom {

/// Registers the codecs that DCMTK has: JPEG (baseline to lossless) and RLE, each to decode and to
/// encode. JPEG 2000, which DCMTK does not have, is decoded by DicomImage and encoded by
/// encode_jpeg2000_lossless. Also silences DCMTK's own log, whose lines would appear beside ours.
/// May be called any number of times, from any thread.
void register_codecs();

}  // namespace mpbench::dicom
