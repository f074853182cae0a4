#include "cache.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "cache_format.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/io/safetensors.hpp"

namespace mpbench::data {
namespace {

using Json = nlohmann::json;
namespace st = safetensors;

/// A column for each attribute that any sample has.
void add_attributes(const std::vector<Sample>& samples, Json& json) {
  for (const AttributeField& field : attribute_fields) {
    Json column = Json::array();
    bool any = false;
    for (const Sample& sample : samples) {
      const std::string& value = sample.attributes.*field.value;
      column.push_back(value);
      any = any || !value.empty();
    }
    if (any) json[field.name] = std::move(column);
  }
}

std::string samples_json(const CacheContents& contents) {
  Json json{{"id", Json::array()}, {"group", Json::array()}, {"unit", Json::array()}};
  for (const auto& sample : contents.samples) {
    json["id"].push_back(sample.id);
    json["group"].push_back(sample.group);
    json["unit"].push_back(sample.case_id);
  }
  add_attributes(contents.samples, json);
  if (!contents.validation.empty()) json["validation"] = contents.validation;
  return json.dump();
}

std::string quarantine_json(const std::vector<Quarantined>& quarantined) {
  Json json = Json::array();
  for (const auto& input : quarantined) {
    json.push_back({input.path.string(), input.field, input.problem});
  }
  // A problem may quote bytes of a damaged file that are no UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse_tensor(const st::File& file, const std::string& tensor) {
  const auto bytes = file.bytes(tensor);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  auto json = parse_json({text, bytes.size()});
  if (json.is_discarded()) throw InputError(file.path(), tensor, "it is not JSON");
  return json;
}

std::string metadata(const st::File& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  if (found == file.metadata().end()) {
    throw InputError(file.path(), "metadata " + name, "it is missing");
  }
  return found->second;
}

std::int64_t metadata_number(const st::File& file, const std::string& name) {
  const auto text = metadata(file, name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw InputError(file.path(), "metadata " + name, fmt::format("'{}' is not a number", text));
  }
  return value;
}

CacheInfo read_info(const st::File& file) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != cache_format_name) {
    throw InputError(
        file.path(), "format",
        "this is a safetensors file, but no image cache; mpbench preprocess makes one");
  }
  CacheInfo info;
  const auto version = metadata_number(file, "version");
  if (version != cache_version) {
    throw InputError(file.path(), "version",
                     fmt::format("this cache has version {}, version {} is expected: run mpbench "
                                 "preprocess again",
                                 version, cache_version));
  }
  info.version = static_cast<int>(version);
  info.dataset = metadata(file, "dataset");
  info.key = metadata(file, "key");
  info.source = metadata(file, "source");
  info.options = metadata(file, "options");
  info.input_times = metadata(file, "input_times");
  info.left_out = metadata_number(file, "left_out");
  return info;
}

void read_samples(const st::File& file, ImageDataset& set, std::size_t count) {
  const auto& labels = file.info("labels");
  if (labels.dtype != "I64" || labels.shape != std::vector{static_cast<std::int64_t>(count)}) {
    throw InputError(file.path(), "labels", fmt::format("they are not {} numbers", count));
  }
  const auto label_bytes = file.bytes("labels");
  const auto json = parse_tensor(file, "samples");
  const auto column = [&](const char* name) -> const Json& {
    if (!json.is_object() || !json.contains(name) || !json[name].is_array() ||
        json[name].size() != count) {
      throw InputError(file.path(), "samples", fmt::format("'{}' has not {} entries", name, count));
    }
    return json[name];
  };
  const auto& ids = column("id");
  const auto& groups = column("group");
  const auto& units = column("unit");
  for (std::size_t i = 0; i < count; ++i) {
    if (!ids[i].is_string() || !groups[i].is_string() || !units[i].is_string()) {
      throw InputError(file.path(), "samples", fmt::format("entry {} is not text", i));
    }
    std::int64_t label = 0;
    std::memcpy(&label, label_bytes.data() + i * sizeof label, sizeof label);
    if (label < 0 || static_cast<std::uint64_t>(label) >= set.classes.size()) {
      throw InputError(
          file.path(), "labels",
          fmt::format("entry {}: {} is not one of {} classes", i, label, set.classes.size()));
    }
    set.samples.push_back({ids[i].get<std::string>(), groups[i].get<std::string>(),
                           units[i].get<std::string>(), static_cast<int>(label)});
  }
  for (const AttributeField& field : attribute_fields) {
    if (!json.contains(field.name)) continue;
    const auto& values = column(field.name);
    for (std::size_t i = 0; i < count; ++i) {
      if (!values[i].is_string()) {
        throw InputError(file.path(), "samples", fmt::format("entry {} is not text", i));
      }
      set.samples[i].attributes.*field.value = values[i].get<std::string>();
    }
  }
  if (!json.contains("validation")) return;
  const auto& validation = column("validation");
  set.given_split.emplace();
  for (std::size_t i = 0; i < count; ++i) {
    if (!validation[i].is_boolean()) {
      throw InputError(file.path(), "samples", fmt::format("entry {} is neither side", i));
    }
    (validation[i].get<bool>() ? set.given_split->validation : set.given_split->train)
        .push_back(static_cast<std::int64_t>(i));
  }
}

/// Everything but the images and the digest itself, against that digest.
void verify_tables(const st::File& file) {
  auto table = file.metadata();
  const auto wanted = metadata(file, "table_digest");
  table.erase("table_digest");
  const auto actual =
      table_digest(table, {file.bytes("labels"), file.bytes("digests"), file.bytes("samples"),
                           file.bytes("quarantine"), file.bytes("preparations")});
  if (actual != wanted) {
    throw InputError(file.path(), "table_digest",
                     "its labels or other tables are damaged: run mpbench preprocess again");
  }
}

}  // namespace

CacheInfo read_cache_info(const std::filesystem::path& path) { return read_info(st::File(path)); }

ImageDataset open_cache(const std::filesystem::path& path) {
  const auto file = std::make_shared<st::File>(path);
  const CacheInfo info = read_info(*file);
  ImageDataset set;
  set.dataset = info.dataset;
  set.key = info.key;
  const auto classes = parse_json(metadata(*file, "classes"));
  if (!classes.is_array() || classes.empty()) {
    throw InputError(path, "metadata classes", "it is not a list of names");
  }
  for (const auto& name : classes) {
    if (!name.is_string()) throw InputError(path, "metadata classes", "it is not a list of names");
    set.classes.push_back(name.get<std::string>());
  }
  const auto& images = file->info("images");
  if (images.dtype != "U8" && images.dtype != "U16") {
    throw InputError(path, "images", fmt::format("dtype {} is neither U8 nor U16", images.dtype));
  }
  set.pixel_type = images.dtype == "U8" ? PixelType::u8 : PixelType::u16;
  const auto& shape = images.shape;
  constexpr std::int64_t largest = std::numeric_limits<std::uint16_t>::max();
  if (shape.size() != 4 || shape[0] < 1 || shape[1] < 1 || shape[1] > 4 || shape[2] < 1 ||
      shape[2] > largest || shape[3] < 1 || shape[3] > largest) {
    throw InputError(path, "images", "the shape is not that of images [N, C, H, W]");
  }
  set.channels = static_cast<int>(shape[1]);
  set.height = static_cast<int>(shape[2]);
  set.width = static_cast<int>(shape[3]);
  set.pixels = file->bytes("images");
  if (reinterpret_cast<std::uintptr_t>(set.pixels.data()) % pixel_bytes(set.pixel_type) != 0) {
    throw InputError(path, "images", "the data is not aligned");
  }
  read_samples(*file, set, static_cast<std::size_t>(shape[0]));
  verify_tables(*file);
  verify_images(path, set, file->bytes("digests"));
  set.storage = file;
  return set;
}

void write_cache(const std::filesystem::path& path, const CacheContents& contents,
                 const std::function<void(std::size_t, std::span<std::byte>)>& read_image) {
  const auto count = static_cast<std::int64_t>(contents.samples.size());
  const std::string samples = samples_json(contents);
  const std::string quarantine = quarantine_json(contents.quarantined);
  const std::string preparations = fmt::format("[{}]", fmt::join(contents.preparations, ",\n"));
  std::vector<std::int64_t> labels;
  std::vector<std::byte> digests;
  for (const auto& sample : contents.samples) labels.push_back(sample.label);
  for (const auto& digits : contents.digests) {
    const auto digest = from_hex(digits);
    digests.insert(digests.end(), digest.begin(), digest.end());
  }
  const auto text_bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  const auto label_bytes = std::as_bytes(std::span(labels));
  st::Metadata metadata_table{{"format", std::string(cache_format_name)},
                              {"version", std::to_string(cache_version)},
                              {"dataset", contents.dataset},
                              {"classes", Json(contents.classes).dump()},
                              {"key", contents.key},
                              {"options", contents.options},
                              {"input_times", contents.input_times},
                              {"source", contents.source},
                              {"left_out", std::to_string(contents.quarantined.size())}};
  metadata_table["table_digest"] =
      table_digest(metadata_table, {label_bytes, digests, text_bytes(samples),
                                    text_bytes(quarantine), text_bytes(preparations)});
  std::vector<st::TensorInfo> tensors(6);
  tensors[0].name = "images";  // first, so that it is aligned
  tensors[0].dtype = to_string(contents.pixel_type);
  tensors[0].shape = {count, contents.channels, contents.height, contents.width};
  const auto length = [](const auto& text) { return static_cast<std::int64_t>(text.size()); };
  tensors[1] = {"labels", "I64", {count}};
  tensors[2] = {"digests", "U8", {count, static_cast<std::int64_t>(digest_bytes)}};
  tensors[3] = {"samples", "U8", {length(samples)}};
  tensors[4] = {"quarantine", "U8", {length(quarantine)}};
  tensors[5] = {"preparations", "U8", {length(preparations)}};
  st::Writer writer(path, tensors, metadata_table);

  std::vector<std::byte> image(st::tensor_bytes(tensors[0].dtype, tensors[0].shape) /
                               contents.samples.size());
  for (std::size_t i = 0; i < contents.samples.size(); ++i) {
    throw_if_interrupted();
    read_image(i, image);
    writer.write("images", i * image.size(), image);
  }
  writer.write("labels", 0, label_bytes);
  writer.write("digests", 0, digests);
  writer.write("samples", 0, text_bytes(samples));
  writer.write("quarantine", 0, text_bytes(quarantine));
  writer.write("preparations", 0, text_bytes(preparations));
  writer.commit();
}

std::vector<Quarantined> read_quarantined(const std::filesystem::path& path) {
  const st::File file(path);
  const auto json = parse_tensor(file, "quarantine");
  std::vector<Quarantined> quarantined;
  try {
    for (const auto& entry : json) {
      quarantined.push_back({entry.at(0).get<std::string>(), entry.at(1).get<std::string>(),
                             entry.at(2).get<std::string>()});
    }
  } catch (const Json::exception&) {
    throw InputError(path, "quarantine", "it is not a list of inputs");
  }
  return quarantined;
}

std::vector<CachedPreparation> read_preparations(const std::filesystem::path& path) {
  const st::File file(path);
  std::vector<CachedPreparation> preparations;
  try {
    for (const auto& entry : parse_tensor(file, "preparations")) {
      const auto crop = whole_numbers<int>(entry.at("crop"));
      if (crop.size() != 4) throw Error("a crop is not four numbers");
      preparations.push_back(
          {.path = entry.at("path").get<std::string>(),
           .preparation = {.window = entry.at("window").get<std::string>(),
                           .crop = cv::Rect(crop[0], crop[1], crop[2], crop[3]),
                           .breast_found = entry.at("breast_found").get<bool>(),
                           .reduction = whole_number<int>(entry.at("reduction")),
                           .notes = entry.at("notes").get<std::vector<std::string>>()}});
    }
  } catch (const Json::exception&) {
    throw InputError(path, "preparations", "it does not say how each image was made");
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    throw InputError(path, "preparations", error.what());
  }
  return preparations;
}

bool begins_like_cache(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(std::size_t{1} << 16, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  return start.find(cache_format_name) != std::string::npos;
}

}  // namespace mpbench::data
