#include "synthetic_patients.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "mpbench/io/csv.hpp"
#include "random_stream.hpp"

namespace mpbench::synth {
namespace {

// RSNA's machines and their numbers of images. The two sites' totals (29,519 and 25,187) are the
// sums of these groups. Those with a sigmoid stand together and so do the MONOCHROME1 ones, so that
// draws spread evenly over the list reach each kind in small sets too: 22 % of the images have a
// sigmoid, as in RSNA.
constexpr std::array<Machine, 10> machines{{
    {49, 1, 23529, true, 12, false, "LINEAR", 1, 194},
    {170, 1, 923, true, 13, false, "LINEAR", 1, 236},
    {190, 1, 145, true, 16, false, "LINEAR", 1, 236},
    {197, 1, 29, false, 12, false, "LINEAR", 1, 194},
    {210, 1, 1070, false, 10, true, "LINEAR", 1, 240},
    {93, 1, 1915, true, 10, false, "SIGMOID", 1, 240},
    {216, 1, 1908, true, 16, false, "SIGMOID", 2, 240},
    {29, 2, 8267, true, 12, true, "SIGMOID", 1, 268},
    {21, 2, 8221, true, 14, true, "", 1, 268},
    {48, 2, 8699, true, 12, false, "LINEAR", 3, 230},
}};

// Ages are missing from 37 of RSNA's images; at that rate no set of usual size would have one, and
// a reader that stumbles over it would go unnoticed.
constexpr double age_missing = 0.02;
// All but 49 of the missing densities, and all but 3,233 of the missing BIRADS, are as many as site
// 2's images.
constexpr double site_1_density_missing = 49.0 / 29519;
constexpr double site_1_birads_missing = 3233.0 / 29519;
constexpr int density_unknown_at_site = 2;

constexpr double implant_share = 1477.0 / 54706;
constexpr double invasive_share = 818.0 / 1158;
constexpr double negative_biopsy_share = (2969.0 - 1158) / (54706 - 1158);
/// Of the positive patients, those with cancer in both breasts: 492 breasts of 486 patients.
constexpr double bilateral_share = 6.0 / 486;

/// The n-th point of a sequence that fills [0, 1) evenly however soon it is cut off (steps of the
/// golden ratio).
double even_point(double start, std::size_t n) {
  const double x = start + 0.6180339887498949 * static_cast<double>(n);
  return x - std::floor(x);
}

const Machine& pick_machine(double point, bool positive) {
  double total = 0;
  for (const Machine& machine : machines)
    if (machine.has_positives || !positive) total += machine.rsna_images;
  double left = point * total;
  const Machine* last = nullptr;
  for (const Machine& machine : machines) {
    if (!machine.has_positives && positive) continue;
    last = &machine;
    if (left < machine.rsna_images) break;
    left -= machine.rsna_images;
  }
  return *last;
}

/// Which breasts are positive: bit 0 the left, bit 1 the right.
std::vector<int> deal_cancers(const SyntheticSetOptions& options, RandomStream& random) {
  const int breasts = 2 * options.patients;
  // Every set has both labels as soon as it has two patients to a label.
  const int least = options.patients >= 4 ? 2 : 0;
  int left = std::clamp(static_cast<int>(std::lround(options.positive_fraction * breasts)), least,
                        breasts - least);
  std::vector<int> order(static_cast<std::size_t>(options.patients));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.index(static_cast<int>(i)))]);
  std::vector<int> sides(order.size(), 0);
  for (int patient : order) {
    if (left == 0) break;
    const bool both = left >= 2 && random.chance(bilateral_share);
    sides[static_cast<std::size_t>(patient)] = both ? 3 : 1 + random.index(2);
    left -= both ? 2 : 1;
  }
  // More positive breasts than patients: the second breast follows.
  for (int patient : order) {
    int& side = sides[static_cast<std::size_t>(patient)];
    if (left == 0) break;
    if (side == 3) continue;
    side = 3;
    --left;
  }
  return sides;
}

std::vector<std::int64_t> distinct_ids(std::size_t count, std::int64_t largest,
                                       RandomStream& random) {
  std::unordered_set<std::int64_t> taken;
  std::vector<std::int64_t> ids;
  while (ids.size() < count) {
    const auto id = 1 + static_cast<std::int64_t>(random.uniform() * static_cast<double>(largest));
    if (taken.insert(id).second) ids.push_back(id);
  }
  return ids;
}

std::vector<View> draw_views(RandomStream& random) {
  std::vector<View> views{View::cc, View::mlo};
  // RSNA has 2.30 images a breast.
  const int extra = random.weighted(std::array<double, 3>{0.76, 0.18, 0.06});
  for (int i = 0; i < extra; ++i) {
    // RSNA: 19 AT, 10 LM, 8 ML and 1 LMO of 54,706 images; here one extra image in fifty.
    if (random.chance(0.02)) {
      constexpr std::array<View, 4> rare{View::at, View::lm, View::ml, View::lmo};
      views.push_back(
          rare[static_cast<std::size_t>(random.weighted(std::array<double, 4>{19, 10, 8, 1}))]);
    } else {
      views.push_back(random.chance(0.45) ? View::cc : View::mlo);
    }
  }
  std::stable_sort(views.begin(), views.end());
  return views;
}

Encoding pick_encoding(SyntheticSyntax syntax, int turn) {
  // RSNA has JPEG 2000 and JPEG Lossless; the other two are dealt in because other sources have
  // them.
  using enum SyntheticSyntax;
  constexpr std::array<Encoding, 8> all{{{jpeg2000, true},
                                         {jpeg_lossless, false},
                                         {jpeg2000, false},
                                         {rle, false},
                                         {jpeg2000, true},
                                         {explicit_le, false},
                                         {jpeg2000, false},
                                         {jpeg_lossless, false}}};
  if (syntax == mixed) return all[static_cast<std::size_t>(turn) % all.size()];
  return {syntax, syntax == jpeg2000 && turn % 2 == 0};
}

void draw_labels(SyntheticBreast& breast, const SyntheticPatient& patient, RandomStream& random) {
  breast.biopsy = breast.cancer || random.chance(negative_biopsy_share);
  breast.invasive = breast.cancer && random.chance(invasive_share);
  // 0: called back, 1: nothing, 2: benign. Cancers of a screening set were called back.
  int birads = 0;
  if (!breast.cancer && !breast.biopsy)
    birads = random.weighted(std::array<double, 3>{0.25, 0.65, 0.1});
  const bool known =
      patient.machine->site != density_unknown_at_site && !random.chance(site_1_birads_missing);
  breast.birads = known ? birads : -1;
  breast.difficult_negative = !breast.cancer && birads == 0 && random.chance(0.55);
}

void draw_breast(SyntheticBreast& breast, const SyntheticPatient& patient, double size,
                 RandomStream& random) {
  draw_labels(breast, patient, random);
  PhantomSpec shared;
  shared.laterality = breast.laterality;
  shared.density = patient.density;
  shared.breast_size = size;
  shared.implant = patient.implant;
  shared.benign_mass = random.chance(breast.difficult_negative || breast.biopsy ? 0.45 : 0.3);
  if (breast.cancer)
    shared.finding = random.chance(0.6) ? Finding::spiculated_mass : Finding::calcifications;
  const double depth = random.between(0.15, 0.72);
  for (View view : draw_views(random)) {
    SyntheticImage image;
    image.phantom = shared;
    image.phantom.view = view;
    image.phantom.marker = random.chance(0.4);
    image.phantom.finding_depth = depth + random.between(-0.03, 0.03);
    image.phantom.seed = random.next();
    breast.images.push_back(image);
  }
}

SyntheticPatient draw_patient(std::uint64_t seed, double machine_point, int positive_sides) {
  RandomStream random(seed);
  SyntheticPatient patient;
  patient.seed = seed;
  patient.machine = &pick_machine(machine_point, positive_sides != 0);
  const double age = 58.5 + 10 * random.normal() + (positive_sides != 0 ? 5 : 0);
  patient.age =
      random.chance(age_missing) ? -1 : std::clamp(static_cast<int>(std::lround(age)), 26, 89);
  patient.implant = random.chance(implant_share);
  patient.density = random.weighted(std::array<double, 4>{0.11, 0.42, 0.40, 0.07});
  patient.density_known =
      patient.machine->site != density_unknown_at_site && !random.chance(site_1_density_missing);
  const double size = random.uniform();
  for (Laterality laterality : {Laterality::left, Laterality::right}) {
    SyntheticBreast breast;
    breast.laterality = laterality;
    breast.cancer = (positive_sides & (laterality == Laterality::left ? 1 : 2)) != 0;
    draw_breast(breast, patient, size, random);
    patient.breasts.push_back(std::move(breast));
  }
  return patient;
}

std::string cell(int value, const char* decimals) {
  return value < 0 ? "" : fmt::format("{}{}", value, decimals);
}

}  // namespace

std::vector<SyntheticPatient> draw_patients(const SyntheticSetOptions& options) {
  RandomStream random(derive_seed(options.seed, 0));
  const std::vector<int> sides = deal_cancers(options, random);
  const auto count = static_cast<std::size_t>(options.patients);
  std::vector<std::int64_t> ids =
      distinct_ids(count, std::max<std::int64_t>(65535, 8 * options.patients), random);
  std::sort(ids.begin(), ids.end());
  const double start = random.uniform();
  std::vector<SyntheticPatient> patients;
  std::size_t images = 0;
  for (std::size_t i = 0; i < count; ++i) {
    patients.push_back(
        draw_patient(derive_seed(options.seed, i + 1), even_point(start, i), sides[i]));
    patients[i].patient_id = ids[i];
    for (const SyntheticBreast& breast : patients[i].breasts) images += breast.images.size();
  }
  const std::vector<std::int64_t> image_ids = distinct_ids(images, 2147483647, random);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // A patient has four images at least, so that two patients see the whole round of encodings.
    auto turn = static_cast<int>(4 * i);
    for (SyntheticBreast& breast : patients[i].breasts) {
      for (SyntheticImage& image : breast.images) {
        image.image_id = image_ids[next++];
        image.encoding = pick_encoding(options.syntax, turn++);
        image.phantom.height = options.height;
        image.phantom.width = options.width;
      }
    }
  }
  return patients;
}

std::string train_csv(const std::vector<SyntheticPatient>& patients) {
  std::string text = csv::line({"site_id", "patient_id", "image_id", "laterality", "view", "age",
                                "cancer", "biopsy", "invasive", "BIRADS", "implant", "density",
                                "machine_id", "difficult_negative_case"});
  for (const SyntheticPatient& patient : patients) {
    const std::string density =
        patient.density_known ? std::string(1, static_cast<char>('A' + patient.density)) : "";
    for (const SyntheticBreast& breast : patient.breasts) {
      for (const SyntheticImage& image : breast.images) {
        text += csv::line(
            {std::to_string(patient.machine->site), std::to_string(patient.patient_id),
             std::to_string(image.image_id), std::string(to_string(breast.laterality)),
             std::string(to_string(image.phantom.view)), cell(patient.age, ".0"),
             breast.cancer ? "1" : "0", breast.biopsy ? "1" : "0", breast.invasive ? "1" : "0",
             cell(breast.birads, ".0"), patient.implant ? "1" : "0", density,
             std::to_string(patient.machine->id), breast.difficult_negative ? "True" : "False"});
      }
    }
  }
  return text;
}

}  // namespace mpbench::synth
