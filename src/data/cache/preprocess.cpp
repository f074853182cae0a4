#include "mpbench/data/preprocess.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <optional>
#include <system_error>

#include "cache.hpp"
#include "cache_format.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/parallel_for.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv.hpp"
#include "mpbench/io/sha256.hpp"
#include "partial_cache.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

/// What the file system says of an input; size -1 where it cannot be looked at.
struct InputFile {
  std::int64_t size = -1;
  std::int64_t time_ns = 0;
  int error = 0;
};

InputFile look_at(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {.error = errno};
  return {.size = status.st_size,
          .time_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

std::vector<InputFile> look_at_all(const ImageManifest& table) {
  std::vector<InputFile> files;
  files.reserve(table.files.size());
  for (std::size_t i = 0; i < table.files.size(); ++i) files.push_back(look_at(table.file(i)));
  return files;
}

std::string options_json(const PreprocessOptions& options) {
  auto json = nlohmann::json::parse(options.preparation);
  json["height"] = options.height;
  json["width"] = options.width;
  json["pixel_type"] = to_string(options.pixel_type);
  return json.dump();  // in the order of their names
}

std::string make_key(const ImageManifest& table, const std::vector<InputFile>& files,
                     const PreprocessOptions& options) {
  std::string identity = fmt::format("{} {} {} {} {}\n", cache_format_name, cache_version,
                                     table.dataset, table.channels, options_json(options));
  for (const auto& name : table.classes) identity += name + '\n';
  for (std::size_t i = 0; i < table.files.size(); ++i) {
    const auto& [path, sample, validation] = table.files[i];
    identity += fmt::format("{}\n{}\n{}\n{}\n{} {} {}\n", path.generic_string(), sample.id,
                            sample.group, sample.case_id, sample.label, validation, files[i].size);
  }
  return sha256_hex(identity);
}

/// Values in [0, 1] as stored pixels, [C, H, W] row-major.
std::vector<std::byte> to_stored(const cv::Mat& pixels, PixelType type) {
  cv::Mat stored;
  pixels.convertTo(stored, type == PixelType::u8 ? CV_8U : CV_16U, pixel_maximum(type));
  std::vector<cv::Mat> planes;
  cv::split(stored, planes);
  std::vector<std::byte> bytes;
  for (const cv::Mat& plane : planes) {
    const auto* begin = reinterpret_cast<const std::byte*>(plane.data);
    bytes.insert(bytes.end(), begin, begin + plane.total() * plane.elemSize());
  }
  return bytes;
}

/// Prepares the images that are not done yet and stores them.
class PreprocessJob {
 public:
  PreprocessJob(const ImageManifest& table, const std::vector<InputFile>& files,
                const PreprocessOptions& options, const image::PrepareImage& prepare,
                PartialCache& partial)
      : table_(table),
        files_(files),
        options_(options),
        prepare_(prepare),
        partial_(partial),
        problems_(table.files.size()) {
    for (std::size_t i = 0; i < table.files.size(); ++i) {
      if (!partial.is_done(i)) pending_.push_back(i);
    }
  }

  /// Returns what failed, in the table's order.
  std::vector<Quarantined> run(const ProgressFunction& progress) {
    const Stopwatch clock;
    const auto process_pending = [this](std::size_t i) {
      process(pending_[i]);
      bytes_ += std::max<std::int64_t>(files_[pending_[i]].size, 0);
      ++done_;
    };
    parallel_for(pending_.size(), options_.workers, process_pending, [&] {
      if (progress) progress(progress_after(clock.seconds()));
    });
    std::vector<Quarantined> failed;
    for (auto& problem : problems_) {
      if (problem) failed.push_back(std::move(*problem));
    }
    return failed;
  }

 private:
  void process(std::size_t place) {
    const auto path = table_.file(place);
    image::PreparedImage image;
    const auto fail = [&](const std::string& field, const std::string& problem) {
      problems_[place] = Quarantined{table_.files[place].path, field, problem};
    };
    if (const int error = files_[place].error; error != 0) {
      return fail("file", error == ENOENT ? "there is no such file"
                                          : std::generic_category().message(error));
    }
    try {
      image = prepare_(path);
    } catch (const InputError& error) {
      return fail(error.field(), error.problem());
    } catch (const std::exception& error) {
      return fail("image", error.what());
    }
    if (image.pixels.rows != options_.height || image.pixels.cols != options_.width ||
        image.pixels.channels() != table_.channels) {
      throw Error(path.string() + ": it was prepared to another size than the cache has");
    }
    partial_.put(place, to_stored(image.pixels, options_.pixel_type), files_[place].time_ns,
                 preparation_json(table_.files[place].path, image.preparation));
  }

  Progress progress_after(double seconds) const {
    seconds = std::max(seconds, 1e-9);
    const auto resumed = static_cast<std::int64_t>(table_.files.size() - pending_.size());
    const auto done = static_cast<std::int64_t>(done_);
    Progress now;
    now.label = "preprocess";
    now.done = resumed + done;
    now.total = static_cast<std::int64_t>(table_.files.size());
    now.units_per_s = static_cast<double>(done) / seconds;
    now.unit = "files";
    now.detail = fmt::format("{:.1f} MB/s", static_cast<double>(bytes_) / seconds / 1e6);
    return now;
  }

  const ImageManifest& table_;
  const std::vector<InputFile>& files_;
  const PreprocessOptions& options_;
  const image::PrepareImage& prepare_;
  PartialCache& partial_;
  std::vector<std::size_t> pending_;
  std::vector<std::optional<Quarantined>> problems_;
  std::atomic<std::size_t> done_ = 0;
  std::atomic<std::int64_t> bytes_ = 0;  // of the files done
};

/// Names the inputs that failed beside the cache; without any, an earlier list goes.
void write_quarantine(const fs::path& cache, const ImageManifest& table,
                      std::vector<Quarantined>& quarantined) {
  const fs::path path = containing_folder(cache) / "quarantine.csv";
  for (auto& input : quarantined) input.path = table.folder / input.path;
  if (quarantined.empty()) {
    fs::remove(path);
    return;
  }
  std::string text = csv::line({"path", "field", "problem"});
  for (const auto& input : quarantined) {
    text += csv::line({input.path.string(), input.field, input.problem});
  }
  write_file(path, text);
}

/// The inputs' times as one digest. An input may be replaced by an older one of the same size, or
/// change while the others are read: only equal times mean the same file.
std::string times_digest(const std::vector<InputFile>& files) {
  std::string times;
  for (const auto& file : files) times += fmt::format("{}\n", file.time_ns);
  return sha256_hex(times);
}

/// Whether the cache is there, whole, and made from these inputs, as they are now, with these
/// options; if it is there and is not, `why` says so.
bool is_up_to_date(const fs::path& cache, const std::string& key,
                   const std::vector<InputFile>& files, std::string& why) {
  if (!fs::exists(cache)) return false;
  try {
    const auto info = read_cache_info(cache);
    if (info.key != key) {
      why = cache.string() + ": made from other files or with other options";
      return false;
    }
    if (info.input_times != times_digest(files)) {
      why = cache.string() + ": a file has changed since";
      return false;
    }
    open_cache(cache);  // compares every digest
  } catch (const InputError& error) {
    why = error.what();
    return false;
  }
  return true;
}

void count_preparations(const fs::path& cache, PreprocessSummary& summary) {
  for (const auto& [path, preparation] : read_preparations(cache)) {
    const auto reduction = static_cast<std::size_t>(std::clamp(preparation.reduction, 0, 32));
    if (summary.by_reduction.size() <= reduction) summary.by_reduction.resize(reduction + 1);
    ++summary.by_reduction[reduction];
    if (!preparation.breast_found) ++summary.whole_frames;
  }
}

PreprocessSummary already_done(const fs::path& cache, const ImageManifest& table) {
  PreprocessSummary summary;
  summary.up_to_date = true;
  summary.quarantined = read_quarantined(cache);
  write_quarantine(cache, table, summary.quarantined);  // a run may have been killed just before
  summary.images = static_cast<std::int64_t>(table.files.size() - summary.quarantined.size());
  count_preparations(cache, summary);
  return summary;
}

/// A killed run may have left its unfinished copy; whoever holds the lock knows that it is
/// nobody's.
void remove_stale_copies(const fs::path& cache) {
  const auto prefix = "." + cache.filename().string() + ".";
  for (const auto& entry : fs::directory_iterator(containing_folder(cache))) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".tmp")) {
      std::error_code ignored;
      fs::remove(entry.path(), ignored);
    }
  }
}

void check(const ImageManifest& table, const fs::path& cache, const PreprocessOptions& options) {
  constexpr int largest = 16384;
  if (options.height < 1 || options.width < 1 || options.height > largest ||
      options.width > largest) {
    throw UsageError(fmt::format("an image size of {} x {} is not between 1 and {}", options.height,
                                 options.width, largest));
  }
  if (options.workers < 0) {
    throw UsageError(
        fmt::format("the number of workers must not be negative: {}", options.workers));
  }
  if (table.files.empty()) throw InputError(table.folder, "images", "there are none");
  if (fs::is_directory(cache)) throw Error(cache.string() + ": this is a folder, not a cache file");
  if (fs::exists(cache) && !begins_like_cache(cache)) {
    throw Error(cache.string() +
                ": this file exists and is not an image cache; it is not replaced");
  }
}

}  // namespace

std::string preprocess_key(const ImageManifest& table, const PreprocessOptions& options) {
  return make_key(table, look_at_all(table), options);
}

PreprocessSummary preprocess(const ImageManifest& table, const fs::path& cache,
                             const PreprocessOptions& options, const image::PrepareImage& prepare,
                             const ProgressFunction& progress) {
  const Stopwatch clock;
  check(table, cache, options);
  cv::setNumThreads(1);  // threads over files; OpenCV's own within one would only get in their way
  const auto files = look_at_all(table);
  const auto key = make_key(table, files, options);
  std::string why;
  if (is_up_to_date(cache, key, files, why)) return already_done(cache, table);
  if (!why.empty()) spdlog::warn("{}; it is made anew", why);

  make_writable_folder(containing_folder(cache));
  PartialCache partial(cache, options.wait_for_writer);
  if (is_up_to_date(cache, key, files, why)) {  // by the process that was waited for
    partial.remove();
    return already_done(cache, table);
  }
  spdlog::info("dataset {}: {} files, {} classes, from {}", table.dataset, table.files.size(),
               table.classes.size(), table.folder.string());
  remove_stale_copies(cache);
  std::vector<std::int64_t> times;
  for (const auto& file : files) times.push_back(file.time_ns);
  const std::size_t slot_bytes =
      static_cast<std::size_t>(options.height) * static_cast<std::size_t>(options.width) *
      static_cast<std::size_t>(table.channels) * pixel_bytes(options.pixel_type);
  PreprocessSummary summary;
  summary.resumed = partial.resume(key, times, slot_bytes);
  summary.quarantined = PreprocessJob(table, files, options, prepare, partial).run(progress);

  CacheContents contents{
      .dataset = table.dataset,
      .key = key,
      .source = utf8_text(fs::absolute(table.folder).lexically_normal().native()),
      .options = options_json(options),
      .input_times = times_digest(files),
      .classes = table.classes,
      .channels = table.channels,
      .height = options.height,
      .width = options.width,
      .pixel_type = options.pixel_type,
      .quarantined = summary.quarantined};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < table.files.size(); ++i) {
    if (!partial.is_done(i)) continue;
    places.push_back(i);
    contents.samples.push_back(table.files[i].sample);
    if (table.has_split) contents.validation.push_back(table.files[i].validation);
    contents.digests.push_back(partial.digest(i));
    contents.preparations.push_back(partial.record(i));
  }
  if (places.empty()) {
    write_quarantine(cache, table, summary.quarantined);
    partial.remove();
    const auto& first = summary.quarantined.front();
    throw Error(fmt::format("all {} inputs failed; the first: {}: {}: {}", table.files.size(),
                            first.path.string(), first.field, first.problem));
  }
  write_cache(cache, contents,
              [&](std::size_t i, std::span<std::byte> image) { partial.get(places[i], image); });
  write_quarantine(cache, table, summary.quarantined);
  partial.remove();
  summary.images = static_cast<std::int64_t>(places.size());
  count_preparations(cache, summary);
  summary.seconds = clock.seconds();
  return summary;
}

}  // namespace mpbench::data
