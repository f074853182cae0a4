#include "guarded_stream.hpp"

#include <dcmtk/dcmdata/dcerror.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcistrma.h>
#include <dcmtk/dcmdata/dcistrmz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

/// Bytes in memory, and what keeps them there: nothing where the caller does.
struct Source {
  Bytes bytes;
  std::shared_ptr<const std::vector<std::byte>> owner;
};

OFCondition refusal(const std::string& text) {
  return OFCondition(OFM_dcmdata, 0x4753, OF_error, text.c_str());
}

class MemoryProducer : public DcmProducer {
 public:
  MemoryProducer(Source source, const OFCondition& status)
      : source_(std::move(source)), status_(status) {}

  OFBool good() const override { return status_.good(); }
  OFCondition status() const override { return status_; }
  OFBool eos() override { return rest().empty() ? OFTrue : OFFalse; }
  offile_off_t avail() override { return static_cast<offile_off_t>(rest().size()); }
  offile_off_t read(void* buffer, offile_off_t length) override {
    const Bytes found = take(buffer == nullptr ? 0 : length);
    if (!found.empty()) std::memcpy(buffer, found.data(), found.size());
    return static_cast<offile_off_t>(found.size());
  }
  offile_off_t skip(offile_off_t length) override {
    return static_cast<offile_off_t>(take(length).size());
  }
  void putback(offile_off_t count) override {
    if (count < 0 || static_cast<std::size_t>(count) > position_) {
      status_ = EC_PutbackFailed;
    } else {
      position_ -= static_cast<std::size_t>(count);
    }
  }

  std::size_t position() const { return position_; }
  /// What has not been read yet.
  Bytes rest() const { return source_.bytes.subspan(position_); }
  const Source& source() const { return source_; }
  void replace(Source source) {
    source_ = std::move(source);
    position_ = 0;
  }

 private:
  Bytes take(offile_off_t wanted) {
    if (status_.bad() || wanted <= 0) return {};
    const Bytes left = rest();
    const Bytes taken = left.first(std::min(left.size(), static_cast<std::size_t>(wanted)));
    position_ += taken.size();
    return taken;
  }

  Source source_;
  OFCondition status_;
  std::size_t position_ = 0;
};

/// Where a value begins that is read when it is asked for.
struct LaterValue {
  Source source;
  bool complete = true;  ///< the file has as many bytes as the value's length says
};

/// A later value's bytes. DCMTK takes memory for a value by its length as soon as the stream is
/// good: that of an incomplete one is not.
class ValueStream : public DcmInputStream {
 public:
  explicit ValueStream(const LaterValue& value)
      : DcmInputStream(&producer_),
        producer_(value.source, value.complete ? EC_Normal : EC_InvalidStream) {}
  DcmInputStreamFactory* newFactory() const override { return nullptr; }

 private:
  MemoryProducer producer_;
};

class ValueFactory : public DcmInputStreamFactory {
 public:
  explicit ValueFactory(std::shared_ptr<const LaterValue> value) : value_(std::move(value)) {}
  DcmInputStream* create() const override { return new ValueStream(*value_); }
  DcmInputStreamFactory* clone() const override { return new ValueFactory(*this); }
  DcmInputStreamFactoryType ident() const override { return DFT_DcmInputFileStreamFactory; }

 private:
  std::shared_ptr<const LaterValue> value_;
};

std::size_t largest_inflation(std::size_t deflated_bytes, const ParserLimits& limits) {
  const std::size_t plausible =
      deflated_bytes > limits.inflated_bytes / limits.inflation_ratio
          ? limits.inflated_bytes
          : std::max(limits.unquestioned_bytes, deflated_bytes * limits.inflation_ratio);
  return std::min(limits.inflated_bytes, plausible);
}

/// What the rest of `producer` inflates to; `problem` says why it ends before its time, if it does.
/// DCMTK's own filter inflates, so that what it takes for deflated data (RFC 1951 without a zlib
/// header, anything after its end) is taken here.
std::vector<std::byte> inflate(MemoryProducer& producer, const ParserLimits& limits,
                               OFCondition& problem) {
  constexpr std::size_t step = 65536;
  const std::size_t largest = largest_inflation(producer.rest().size(), limits);
  DcmZLibInputFilter filter;
  filter.append(producer);
  std::vector<std::byte> inflated;
  for (std::size_t added = step; added > 0;) {
    const std::size_t size = inflated.size();
    inflated.resize(size + step);
    added = static_cast<std::size_t>(filter.read(&inflated[size], static_cast<offile_off_t>(step)));
    inflated.resize(size + added);
    if (inflated.size() > largest) {
      inflated.resize(largest);
      problem = refusal(fmt::format("the deflated dataset inflates to over {} bytes", largest));
      return inflated;
    }
  }
  if (!filter.good()) {
    problem = refusal(fmt::format("the deflated dataset is damaged ({})", filter.status().text()));
  } else if (!filter.eos()) {
    problem = refusal("the deflated dataset is cut off");
  }
  return inflated;
}

/// The stream that DCMTK parses. A limit that is passed makes its status bad, which the parser asks
/// for before each object, while reading goes on: DCMTK does not check that a tag was read whole.
class GuardedStream : public DcmInputStream {
 public:
  GuardedStream(Bytes bytes, const ParserLimits& limits, const void* stack)
      : DcmInputStream(&producer_),
        producer_({bytes, nullptr}, EC_Normal),
        limits_(limits),
        stack_(reinterpret_cast<std::uintptr_t>(stack)) {}

  /// The limit that was passed, or what is wrong with the deflated data.
  const OFCondition& problem() const {
    return limit_passed_.bad() ? limit_passed_ : inflation_problem_;
  }

  AfterPixelData after_pixel_data() const {
    return producer_.source().owner ? AfterPixelData{} : watch_.after(producer_.position());
  }

  OFBool good() const override { return limit_passed_.good() ? DcmInputStream::good() : OFFalse; }
  OFCondition status() const override {
    return limit_passed_.good() ? DcmInputStream::status() : limit_passed_;
  }

  /// The parser calls this once before each tag.
  void mark() override {
    DcmInputStream::mark();
    // The frame's own address: a local's may lie in AddressSanitizer's heap.
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::size_t depth = here < stack_ ? stack_ - here : 0;
    watch_.note_tag(producer_.rest(), producer_.position(), depth);
    if (limit_passed_.bad()) return;
    if (depth > limits_.stack_bytes) {
      limit_passed_ = refusal("sequences are nested too deeply");
    } else if (++objects_ > limits_.objects) {
      limit_passed_ = refusal(fmt::format("has over {} elements and items", limits_.objects));
    } else if (count_in_item(depth) > limits_.elements_in_item) {
      limit_passed_ =
          refusal(fmt::format("an item has over {} elements", limits_.elements_in_item));
    }
  }

  offile_off_t skip(offile_off_t length) override {
    const offile_off_t skipped = DcmInputStream::skip(length);
    if (skipped < length && last_value_) last_value_->complete = false;
    return skipped;
  }

  /// Called for a value over 4 KB, which is then skipped.
  DcmInputStreamFactory* newFactory() const override {
    last_value_ =
        std::make_shared<LaterValue>(LaterValue{{producer_.rest(), producer_.source().owner}});
    return new ValueFactory(last_value_);
  }

  OFCondition installCompressionFilter(E_StreamCompression type) override {
    if (type != ESC_zlib) return EC_UnsupportedEncoding;
    if (producer_.source().owner) return EC_DoubleCompressionFilters;
    const auto inflated = std::make_shared<const std::vector<std::byte>>(
        inflate(producer_, limits_, inflation_problem_));
    producer_.replace({Bytes(*inflated), inflated});
    return EC_Normal;
  }

 private:
  struct Item {
    std::size_t depth;
    std::size_t elements;
  };

  /// Whether the next tag's group is FFFE, in either byte order: what stands in sequences, which
  /// DCMTK does not sort.
  bool at_item_or_delimiter() const {
    const Bytes next = producer_.rest();
    return next.size() >= 2 && ((next[0] == std::byte{0xFE} && next[1] == std::byte{0xFF}) ||
                                (next[0] == std::byte{0xFF} && next[1] == std::byte{0xFE}));
  }

  /// How many elements were met at this depth since the parser was last above it.
  std::size_t count_in_item(std::size_t depth) {
    while (!items_.empty() && items_.back().depth > depth) items_.pop_back();
    if (items_.empty() || items_.back().depth < depth) items_.push_back({depth, 0});
    if (!at_item_or_delimiter()) ++items_.back().elements;
    return items_.back().elements;
  }

  MemoryProducer producer_;
  ParserLimits limits_;
  std::uintptr_t stack_;
  OFCondition limit_passed_ = EC_Normal;
  OFCondition inflation_problem_ = EC_Normal;
  std::size_t objects_ = 0;
  std::vector<Item> items_;
  PixelDataWatch watch_;
  mutable std::shared_ptr<LaterValue> last_value_;
};

}  // namespace

OFCondition load_guarded(Bytes bytes, DcmFileFormat& file, const ParserLimits& limits,
                         AfterPixelData* after) {
  GuardedStream stream(bytes, limits, __builtin_frame_address(0));
  OFCondition result = file.clear();
  if (result.bad()) return result;
  file.transferInit();
  result = file.read(stream);
  file.transferEnd();
  if (after != nullptr) *after = stream.after_pixel_data();
  return stream.problem().bad() ? stream.problem() : result;
}

}  // namespace mpbench::dicom
