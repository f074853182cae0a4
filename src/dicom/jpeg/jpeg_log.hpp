#pragma once

#include <string>

namespace mpbench::dicom {

/// Leads the log of DCMTK's JPEG decoders to JpegLogListener, and nowhere else. Called once, before
/// anything is decoded.
void listen_to_jpeg_log();

/// While it lives, takes what DCMTK's JPEG decoders log in this thread. Their log is the only place
/// where they tell of damage: they fill in what is missing and return success.
class JpegLogListener {
 public:
  JpegLogListener();
  ~JpegLogListener();
  JpegLogListener(const JpegLogListener&) = delete;
  JpegLogListener& operator=(const JpegLogListener&) = delete;

  /// The last line that was logged since this was last called; empty when there was none.
  std::string take_line();
  /// Hands a line to the listener of this thread, if there is one: what the log does.
  static void deliver(std::string line);

 private:
  std::string line_;
  JpegLogListener* outer_;
};

}  // namespace mpbench::dicom
