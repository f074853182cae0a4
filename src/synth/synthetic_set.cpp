#include "mpbench/synth/synthetic_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "mammogram_writer.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/parallel_for.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "random_stream.hpp"
#include "synthetic_patients.hpp"

namespace mpbench::synth {
namespace {

namespace fs = std::filesystem;

constexpr const char* note_name = "synthetic.json";
constexpr const char* note_kind = "mpbench synthetic set";

/// Whether this program put the note there: then the set beside it may be replaced.
bool is_our_note(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored) || fs::file_size(path, ignored) > 65536) return false;
  std::ifstream file(path);
  const auto note = nlohmann::json::parse(file, nullptr, false);
  return note.is_object() && note.contains("kind") && note["kind"] == note_kind;
}

/// An empty folder at `out`; an earlier synthetic set there is removed, anything else is left
/// alone.
void make_room(const fs::path& out) {
  std::error_code cause;
  const auto status = fs::status(out, cause);
  if (fs::exists(status)) {
    if (!fs::is_directory(status))
      throw Error(out.string() + ": is a file; name a folder for the set");
    if (!fs::is_empty(out, cause) && !cause) {
      if (!is_our_note(out / note_name))
        throw Error(out.string() +
                    ": is not empty and holds no synthetic set; name another folder");
      // The table first: what is left after a crash here is not taken as whole.
      fs::remove(out / "train.csv", cause);
      if (!cause) fs::remove_all(out / "train_images", cause);
    }
    if (cause) throw Error(fmt::format("{}: cannot be emptied: {}", out.string(), cause.message()));
  }
  make_writable_folder(out);
}

void write_note(const SyntheticSetOptions& options) {
  nlohmann::ordered_json note;
  note["kind"] = note_kind;
  note["note"] =
      "Drawn, not photographed: no patient's data is in here. Laid out as RSNA Screening "
      "Mammography Breast Cancer "
      "Detection; more breasts are positive and more ages are missing than there. train.csv is "
      "written last.";
  note["patients"] = options.patients;
  note["seed"] = options.seed;
  note["syntax"] = std::string(to_string(options.syntax));
  note["height"] = options.height;
  note["width"] = options.width;
  note["positive_fraction"] = options.positive_fraction;
  write_file(options.out / note_name, note.dump(2) + "\n");
}

/// A key that differs between sets, but not between encodings of one set: a lossless copy keeps its
/// UID.
std::uint64_t key_of(const SyntheticSetOptions& options) {
  std::uint64_t key = derive_seed(options.seed, static_cast<std::uint64_t>(options.patients));
  key = derive_seed(key, static_cast<std::uint64_t>(options.height) << 32 |
                             static_cast<std::uint32_t>(options.width));
  return derive_seed(key, static_cast<std::uint64_t>(options.positive_fraction * 1e6));
}

std::uintmax_t write_patient(const fs::path& images, const SyntheticPatient& patient,
                             std::uint64_t set_key, const std::function<void()>& written) {
  const fs::path folder = images / std::to_string(patient.patient_id);
  std::error_code cause;
  fs::create_directories(folder, cause);
  if (cause)
    throw Error(fmt::format("{}: cannot make this folder: {}", folder.string(), cause.message()));
  std::uintmax_t bytes = 0;
  int instance = 0;
  for (const SyntheticBreast& breast : patient.breasts) {
    for (const SyntheticImage& image : breast.images) {
      throw_if_interrupted();
      const auto contents = make_mammogram({patient, breast, image, ++instance, set_key});
      AtomicFile file(folder / fmt::format("{}.dcm", image.image_id));
      file.write(contents);
      file.commit();
      bytes += contents.size();
      written();
    }
  }
  return bytes;
}

SyntheticSetSummary summarize(const std::vector<SyntheticPatient>& patients) {
  SyntheticSetSummary summary;
  summary.patients = static_cast<int>(patients.size());
  for (const SyntheticPatient& patient : patients) {
    for (const SyntheticBreast& breast : patient.breasts) {
      const int images = static_cast<int>(breast.images.size());
      ++summary.breasts;
      summary.images += images;
      if (breast.cancer) {
        ++summary.positive_breasts;
        summary.positive_images += images;
      }
      for (const SyntheticImage& image : breast.images) {
        // `mixed` is the first.
        ++summary.images_by_syntax[static_cast<std::size_t>(image.encoding.syntax) - 1];
        if (image.encoding.wrapped_in_jp2) ++summary.jp2_wrapped;
      }
    }
  }
  return summary;
}

/// Writes all images on several threads and reports from the calling one. Returns the bytes
/// written.
std::uintmax_t write_images(const SyntheticSetOptions& options,
                            const std::vector<SyntheticPatient>& patients, int total,
                            const ProgressFunction& progress) {
  const fs::path folder = options.out / "train_images";
  const std::uint64_t set_key = key_of(options);
  std::atomic<std::int64_t> done{0};
  std::atomic<std::uintmax_t> bytes{0};
  const Stopwatch watch;
  std::int64_t reported = -1;
  const auto report = [&] {
    const std::int64_t now = done;
    if (!progress || now == reported) return;
    reported = now;
    progress({"synth", now, total, static_cast<double>(now) / watch.seconds(), "images", ""});
  };
  const auto write = [&](std::size_t i) {
    bytes += write_patient(folder, patients[i], set_key, [&] { ++done; });
  };
  parallel_for(patients.size(), options.threads, write, report);
  return bytes;
}

}  // namespace

SyntheticSetSummary write_synthetic_set(const SyntheticSetOptions& options,
                                        const ProgressFunction& progress) {
  validate(options);
  const std::vector<SyntheticPatient> patients = draw_patients(options);
  SyntheticSetSummary summary = summarize(patients);
  make_room(options.out);
  write_note(options);
  summary.bytes = write_images(options, patients, summary.images, progress);
  write_file(options.out / "train.csv", train_csv(patients));
  return summary;
}

}  // namespace mpbench::synth
