#include <cxxabi.h>
#include <execinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "fake.hpp"

namespace fake_cuda {
namespace {

const char* variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

Options read_options() {
  Options chosen;
  if (*variable("FAKE_CUDA_DEVICES") != 0)
    chosen.devices = std::atoi(variable("FAKE_CUDA_DEVICES"));
  if (*variable("FAKE_CUDA_MEMORY") != 0)
    chosen.memory_bytes = std::strtoull(variable("FAKE_CUDA_MEMORY"), nullptr, 10);
  chosen.launch_seconds = 1e-6 * std::atof(variable("FAKE_CUDA_LAUNCH_US"));
  chosen.failing_capture = *variable("FAKE_CUDA_FAILING_CAPTURE") != 0;
  chosen.refused = variable("FAKE_CUDA_REFUSED");
  chosen.report = variable("FAKE_CUDA_REPORT");
  if (const std::size_t at = chosen.report.find("%p"); at != std::string::npos) {
    chosen.report.replace(at, 2, std::to_string(getpid()));
  }
  chosen.backtrace = variable("FAKE_CUDA_BACKTRACE");
  return chosen;
}

std::string demangled(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  const std::string result = status == 0 ? text : name;
  std::free(text);
  return result;
}

void print_backtrace() {
  void* frames[40];
  const int found = backtrace(frames, 40);
  char** symbols = backtrace_symbols(frames, found);
  for (int i = 2; i < found; ++i) {  // "library(name+0x12) [address]"
    const std::string line = symbols[i];
    const std::size_t begin = line.find('(');
    const std::size_t end = line.find('+', begin);
    const bool named = begin != std::string::npos && end != std::string::npos && end > begin + 1;
    std::fprintf(stderr, "    %.160s\n",
                 named ? demangled(line.substr(begin + 1, end - begin - 1)).c_str() : line.c_str());
  }
  std::free(symbols);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void write_report(const char* path) {
  const std::lock_guard lock(state().mutex);
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "{\"counts\": {");
  const char* separator = "";
  for (const auto& [name, number] : state().counts) {
    const bool kernel = name.starts_with("kernel ");
    std::fprintf(file, "%s%s: %ld", separator,
                 quoted(kernel ? "kernel " + demangled(name.substr(7)) : name).c_str(), number);
    separator = ",\n";
  }
  std::fprintf(file, "},\n\"contexts\": [");
  separator = "";
  for (const int device : state().contexts) {
    std::fprintf(file, "%s%d", separator, device);
    separator = ", ";
  }
  std::fprintf(file, "],\n\"violations\": [");
  separator = "";
  for (const std::string& each : state().violations) {
    std::fprintf(file, "%s%s", separator, quoted(each).c_str());
    separator = ", ";
  }
  std::fprintf(file, "],\n\"peak_bytes\": %zu}\n", state().peak_bytes);
  std::fclose(file);
}

}  // namespace

const Options& options() {
  static const Options* const chosen =
      new Options(read_options());  // the report is written after all destructors
  return *chosen;
}

State& state() {
  static State* const all = [] {
    if (!options().report.empty()) std::atexit([] { write_report(options().report.c_str()); });
    return new State;  // never freed: LibTorch's own destructors still call in
  }();
  return *all;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void wait_until(double time) {
  const double left = time - now();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
}

long thread_id() {
  static thread_local const long id = syscall(SYS_gettid);
  return id;
}

int& current_device() {
  static thread_local int device = 0;
  return device;
}

void count(const std::string& call) {
  const std::lock_guard lock(state().mutex);
  ++state().counts[call];
  if (!options().backtrace.empty() && call.find(options().backtrace) != std::string::npos) {
    std::fprintf(stderr, "fake CUDA: %s\n", call.c_str());
    print_backtrace();
  }
}

void violation(const std::string& what) {
  const std::lock_guard lock(state().mutex);
  state().violations.push_back(what);
  std::fprintf(stderr, "fake CUDA: violation: %s\n", what.c_str());
  print_backtrace();
}

cudaError_t& last_error() {
  static thread_local cudaError_t error = cudaSuccess;
  return error;
}

cudaError_t failed(cudaError_t error) {
  last_error() = error;
  return error;
}

void use_context(int device) {
  const std::lock_guard lock(state().mutex);
  if (state().contexts.insert(device).second) count("context");
}

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {
cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error();
  last_error() = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return last_error(); }
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "an error of the fake runtime";
}
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaErrorFake";
}
/// What the driver's stand-in asks.
int fake_cuda_has_context(int device) {
  const std::lock_guard lock(state().mutex);
  return state().contexts.count(device) != 0 ? 1 : 0;
}
int fake_cuda_devices() { return options().devices; }
/// For Python: the counts up to now.
void fake_cuda_write_report(const char* path) { write_report(path); }
}
