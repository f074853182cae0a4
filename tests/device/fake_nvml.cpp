// A stand-in for libnvidia-ml.so.1: one card, which has used a joule more at each reading.
#include <cstdlib>
#include <cstring>

namespace {

constexpr int success = 0;
constexpr int not_found = 6;
int card = 0;

/// A number of the test's choice, from the environment.
unsigned long long chosen(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 0);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int nvmlInit_v2() { return static_cast<int>(chosen("FAKE_NVML_INIT")); }

int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  std::strncpy(version, "580.65.06", length);
  return success;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** handle) {
  if (std::strcmp(bus_id, "00000000:17:00.0") != 0) return not_found;
  *handle = &card;
  return success;
}

int nvmlDeviceGetTotalEnergyConsumption(void* handle, unsigned long long* millijoules) {
  if (handle != &card) return not_found;
  static unsigned long long total = 5'000'000;
  *millijoules = total += 1000;
  return success;
}

int nvmlDeviceGetClockInfo(void* handle, int domain, unsigned* megahertz) {
  if (handle != &card || domain != 1) return not_found;
  *megahertz = 1410;
  return success;
}

int nvmlDeviceGetTemperature(void* handle, int sensor, unsigned* celsius) {
  if (handle != &card || sensor != 0) return not_found;
  const unsigned long long degrees = chosen("FAKE_NVML_TEMPERATURE");
  *celsius = degrees == 0 ? 54 : static_cast<unsigned>(degrees);
  return success;
}

#ifndef OLD_DRIVER
int nvmlDeviceGetCurrentClocksEventReasons(void* handle, unsigned long long* reasons) {
#else
int nvmlDeviceGetCurrentClocksThrottleReasons(void* handle, unsigned long long* reasons) {
#endif
  if (handle != &card) return not_found;
  *reasons = chosen("FAKE_NVML_REASONS");
  return success;
}
}
