#include "jpeg_log.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmjpeg/djutils.h>
#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/oflog.h>
#include <dcmtk/oflog/spi/logevent.h>

#include <utility>

namespace mpbench::dicom {
namespace {

thread_local JpegLogListener* listener = nullptr;

/// DCMTK calls it in the thread that logs.
class ListeningAppender : public dcmtk::log4cplus::Appender {
 public:
  ~ListeningAppender() override { destructorImpl(); }
  void close() override {}

 protected:
  void append(const dcmtk::log4cplus::spi::InternalLoggingEvent& event) override {
    const dcmtk::log4cplus::tstring& message = event.getMessage();
    JpegLogListener::deliver({message.c_str(), message.size()});
  }
};

}  // namespace

void listen_to_jpeg_log() {
  DCM_dcmjpegLogger.setLogLevel(OFLogger::WARN_LOG_LEVEL);
  DCM_dcmjpegLogger.setAdditivity(false);
  DCM_dcmjpegLogger.removeAllAppenders();
  DCM_dcmjpegLogger.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new ListeningAppender));
}

JpegLogListener::JpegLogListener() : outer_(std::exchange(listener, this)) {}

JpegLogListener::~JpegLogListener() { listener = outer_; }

std::string JpegLogListener::take_line() { return std::exchange(line_, {}); }

void JpegLogListener::deliver(std::string line) {
  if (listener != nullptr) listener->line_ = std::move(line);
}

}  // namespace mpbench::dicom
