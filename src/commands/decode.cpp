#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "mpbench/core/interrupt.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "mpbench/dicom/display.hpp"
#include "mpbench/image/png_writer.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/sha256.hpp"
#include "npy.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// A frame's values at the stage that was asked for.
struct Staged {
  cv::Mat values;
  std::string window;  ///< which VOI transformation was used; empty before the display stage
};

Staged to_stage(const dicom::DecodedFrame& image, DecodeStage stage) {
  if (stage == DecodeStage::modality) return {dicom::to_modality(image), {}};
  if (stage == DecodeStage::display) {
    dicom::DisplayImage display = dicom::to_display(image);
    return {display.pixels, display.window};
  }
  return {image.pixels, {}};
}

/// "sha256 rows cols bits signed path". `bits` is the width of what was hashed, 8 or 16.
std::string digest_line(const dicom::DecodedFrame& image) {
  const cv::Mat& pixels =
      image.pixels;  // DicomImage's matrices are continuous, and so are x86's bytes
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(pixels.data),
                                         pixels.total() * pixels.elemSize());
  const dicom::ImageAttributes& attributes = image.attributes;
  return fmt::format("{} {} {} {} {} {}", sha256_hex(bytes), attributes.rows, attributes.columns,
                     attributes.bits_allocated, attributes.is_signed ? 1 : 0, image.path.string());
}

std::string describe_windows(const dicom::ImageAttributes& attributes) {
  std::vector<std::string> parts;
  for (const dicom::Window& window : attributes.windows) {
    parts.push_back(fmt::format("{}/{}", window.center, window.width));
  }
  for (const dicom::LookupTable& table : attributes.voi_luts) {
    parts.push_back(fmt::format("VOI LUT of {}", table.entries.size()));
  }
  if (parts.empty()) return "no window";
  const char* function = attributes.voi_function == dicom::VoiFunction::sigmoid ? " SIGMOID"
                         : attributes.voi_function == dicom::VoiFunction::linear_exact
                             ? " LINEAR_EXACT"
                             : "";
  return fmt::format("window {}{}", fmt::join(parts, ", "), function);
}

/// A few lines for a person.
std::string description(const dicom::DecodedFrame& image, DecodeStage stage) {
  const dicom::ImageAttributes& a = image.attributes;
  std::string text = fmt::format(
      "{}\n  {} x {} pixels, {} frame(s), {} of {} bits {}, {}\n  transfer syntax {}\n  {}\n",
      image.path.string(), a.rows, a.columns, a.frames, a.bits_stored, a.bits_allocated,
      a.is_signed ? "signed" : "unsigned", a.photometric_interpretation, a.transfer_syntax,
      describe_windows(a));
  std::vector<std::string> view{a.modality, a.laterality, a.view_position};
  std::erase(view, "");
  if (!view.empty()) text += fmt::format("  {}\n", fmt::join(view, " "));
  const Staged staged = to_stage(image, stage);
  double low = 0;
  double high = 0;
  cv::minMaxLoc(staged.values.reshape(1), &low, &high);
  text += fmt::format("  {} values {} to {}{}{}\n", enum_name(stage), low, high,
                      staged.window.empty() ? "" : ", ", staged.window);
  for (const std::string& note : image.notes) text += fmt::format("  note: {}\n", note);
  return text;
}

/// An image to look at: display values by 65535, others stretched from their smallest to largest.
cv::Mat to_png_matrix(const cv::Mat& values, DecodeStage stage) {
  double low = 0;
  double high = 1;
  if (stage != DecodeStage::display) cv::minMaxLoc(values.reshape(1), &low, &high);
  const double factor = high > low ? 65535 / (high - low) : 0;
  cv::Mat scaled;
  values.convertTo(scaled, CV_16U, factor, -low * factor);
  return scaled;
}

/// Where frames are written, no two under one name.
class OutputFolder {
 public:
  explicit OutputFolder(fs::path folder) : folder_(std::move(folder)) {
    make_writable_folder(folder_);
  }
  /// Writes NAME.npy and NAME.png, NAME being the stem, or the stem with a number when an earlier
  /// file of this run has taken it. Returns the path of the first.
  fs::path write(const cv::Mat& values, DecodeStage stage, const std::string& stem) {
    std::string name = stem;
    for (int number = 2; !taken_.insert(name).second; ++number) {
      name = fmt::format("{}-{}", stem, number);
    }
    const fs::path npy = folder_ / (name + ".npy");
    write_npy(npy, values);
    image::write_png(folder_ / (name + ".png"), to_png_matrix(values, stage));
    return npy;
  }

 private:
  fs::path folder_;
  std::set<std::string> taken_;
};

std::string stem_of(const dicom::DecodedFrame& image, int frame) {
  const std::string stem = image.path.stem().string();
  return image.attributes.frames == 1 ? stem : fmt::format("{}_frame{:04}", stem, frame);
}

void decode_file(const fs::path& path, const DecodeOptions& options, OutputFolder* folder) {
  dicom::DicomImage file(path);
  const int first = std::max(options.frame, 0);
  const bool all = options.frame < 0 && (options.digest || folder != nullptr);
  const int last = all ? file.frames() - 1 : first;
  for (int frame = first; frame <= last; ++frame) {
    throw_if_interrupted();
    const dicom::DecodedFrame image = file.read(frame);
    if (options.digest) fmt::print("{}\n", digest_line(image));
    if (folder != nullptr) {
      const fs::path npy = folder->write(to_stage(image, options.stage).values, options.stage,
                                         stem_of(image, frame));
      if (!options.digest) fmt::print("{}\n", npy.string());
    }
    if (!options.digest && folder == nullptr) {
      fmt::print("{}", description(image, options.stage));
    } else {
      for (const std::string& note : image.notes) spdlog::debug("{}: {}", path.string(), note);
    }
  }
}

}  // namespace

ExitCode run_decode(const DecodeOptions& options) {
  std::unique_ptr<OutputFolder> folder;
  if (!options.out.empty()) folder = std::make_unique<OutputFolder>(options.out);
  std::size_t failed = 0;
  for (const std::string& file : options.files) {
    try {
      decode_file(file, options, folder.get());
    } catch (const InputError& problem) {
      ++failed;
      std::fflush(stdout);  // keeps the two streams in order where they share a terminal
      spdlog::error("{}", problem.what());
    }
  }
  if (failed == 0) return ExitCode::done;
  if (options.files.size() > 1) {
    spdlog::warn("{} of {} files could not be decoded", failed, options.files.size());
  }
  return failed == options.files.size() ? ExitCode::error : ExitCode::partial;
}

}  // namespace mpbench::commands
